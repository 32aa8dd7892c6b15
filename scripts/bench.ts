// Compares Gantry with Docker and Podman, where they are installed and answer, in interleaved runs: medians and ratios.
//   npm run bench                            everything, 25 rounds of the short cases
//   npm run bench -- --rounds 60 --only run  only cases whose name has the word
//   npm run bench -- --write                 also writes docs/benchmarks.md
//   npm run bench -- --storage-driver overlay2 --only image   with the fall-back for hosts without EROFS
//   GANTRY_PEER_DOCKER_HOST=unix:///… names Docker's daemon; else /var/run/docker.sock is tried. Nothing is installed.
import { cpus, release, totalmem } from "node:os";
import { writeFileSync } from "node:fs";
import { makeBigImage, type BigImage } from "./lib/bench/big-image.ts";
import { measureApi } from "./lib/bench/api.ts";
import { cases } from "./lib/bench/cases.ts";
import { measureList, measureParallel } from "./lib/bench/crowd.ts";
import { measure, type Case, type Medians } from "./lib/bench/measure.ts";
import { measureMemory } from "./lib/bench/memory.ts";
import { findSubjects } from "./lib/bench/subject.ts";
import { startCompiledDaemon } from "./lib/compiled-daemon.ts";

const options = parseOptions(process.argv.slice(2));
const daemon = await startCompiledDaemon(options.storageDriver === undefined ? [] : [`--storage-driver=${options.storageDriver}`]);
const rows: string[] = [];
const subjects = await findSubjects(daemon);
console.log(head());
try {
  for (const one of cases) if (isChosen(one.name)) report(one.name, await measure(subjects, one, options.rounds));
  if (isChosen("parallel")) report("50 × `run --rm`, ten at a time", await measureParallel(subjects));
  if (isChosen("list")) await reportList();
  if (isChosen("api")) for (const [name, medians] of await measureApi(subjects, options.rounds)) report(name, medians);
  if (["image", "load", "save", "pull", "rmi"].some(isChosen)) await measureImages();
  if (isChosen("memory")) await reportMemory();
} finally {
  await daemon.stop();
}
if (options.write) writeReport();

async function measureImages(): Promise<void> {
  await using big = await makeBigImage();
  for (const one of imageCases(big).filter(({ name }) => isChosen("image") || isChosen(name)))
    report(one.name, await measure(subjects, { ...one, rounds: 3 }, options.rounds));
}

function imageCases({ archive, name, remote, description }: BigImage): Case[] {
  const loaded = { beforeEach: [["load", "-q", "-i", archive]], afterEach: [["rmi", name]] };
  const local: Case[] = [
    { name: `\`load\` of ${description}`, args: ["load", "-q", "-i", archive], afterEach: [["rmi", name]] },
    { name: "`save` of it", args: ["save", name], ...loaded },
  ];
  if (!remote) return local;
  return [
    ...local,
    { name: "`pull` of it from a local registry", args: ["pull", "-q", remote], afterEach: [["rmi", remote]] },
    { name: "`rmi` of it", args: ["rmi", remote], beforeEach: [["pull", "-q", remote]] },
    { name: "`pull` of what is there", args: ["pull", "-q", remote], beforeEach: [["pull", "-q", remote]], afterEach: [["rmi", remote]] },
  ];
}

async function reportList(): Promise<void> {
  const { command, api } = await measureList(subjects, options.rounds);
  report("`ps -a` of 200", command);
  report("list of 200 by the API, four connections", api);
}

async function reportMemory(): Promise<void> {
  const engines = new Map<string, number>();
  const growth = new Map<string, number>();
  for (const subject of subjects.filter(({ engine }) => engine !== undefined)) {
    const { engine, perContainer } = await measureMemory(subject, 20);
    engines.set(subject.name, engine);
    growth.set(subject.name, perContainer);
  }
  report("memory of the engine, MB", engines);
  report("memory of the engine per running container, MB", growth);
}

function isChosen(name: string): boolean {
  return options.only === undefined || name.includes(options.only);
}

function report(name: string, medians: Medians): void {
  const base = medians.get("docker");
  const cells = subjects.map((subject) => {
    const value = medians.get(subject.name);
    if (value === undefined) return "";
    const ratio = base !== undefined && subject.name !== "docker" ? ` (${(base / value).toFixed(1)}×)` : "";
    return `${value.toFixed(1)}${ratio}`;
  });
  rows.push(`| ${name} | ${cells.join(" | ")} |`);
  console.log(rows.at(-1));
}

function head(): string {
  return `| milliseconds, median | ${subjects.map(({ name }) => name).join(" | ")} |\n| --- | ${subjects.map(() => "---").join(" | ")} |`;
}

function writeReport(): void {
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`;
  const text = `# Benchmarks

Wall time at the user's end, from the start of the client to its end, in interleaved runs: median of ${options.rounds} rounds after five that do not
count, of 3 to 7 for those that take long. In parentheses: how many times faster than Docker, or how many times smaller. \`npm run bench -- --write\` made this page on
${machine}.

${head()}
${rows.join("\n")}
`;
  writeFileSync("docs/benchmarks.md", text);
}

interface Options {
  readonly rounds: number;
  readonly only: string | undefined;
  readonly storageDriver: string | undefined;
  readonly write: boolean;
}

function parseOptions(args: readonly string[]): Options {
  const value = (name: string): string | undefined => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  return {
    rounds: Number(value("--rounds") ?? 25),
    only: value("--only"),
    storageDriver: value("--storage-driver"),
    write: args.includes("--write"),
  };
}
