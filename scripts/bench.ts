// Compares Gantry with Docker and Podman, where they are installed and answer, in interleaved runs: medians and ratios.
//   npm run bench                 all cases, 25 rounds each
//   npm run bench -- --rounds 60 --only run
//   GANTRY_PEER_DOCKER_HOST=unix:///… names Docker's daemon; else /var/run/docker.sock is tried. Nothing is installed.
// Writes docs/benchmarks.md with --write.
import { cpus, release, totalmem } from "node:os";
import { writeFileSync } from "node:fs";
import { loadBusybox } from "../test/support/images.ts";
import { startCompiledDaemon, type BenchDaemon } from "./lib/bench-daemon.ts";

interface Subject {
  readonly name: string;
  readonly command: (...args: string[]) => string[];
  readonly environment: Readonly<Record<string, string>>;
}

interface Case {
  readonly name: string;
  /** Arguments after the program, once per round. */
  readonly args: readonly string[];
  readonly before?: (subject: Subject) => Promise<void>;
  readonly after?: (subject: Subject) => Promise<void>;
  readonly rounds?: number;
}

const options = parseOptions(process.argv.slice(2));
const daemon = await startCompiledDaemon();
const subjects = await findSubjects(daemon);
const image = "busybox:latest";

const cases: readonly Case[] = [
  { name: "run --rm, bridge", args: ["run", "--rm", image, "true"] },
  { name: "run --rm, network none", args: ["run", "--rm", "--network", "none", image, "true"] },
  { name: "run --rm, network host", args: ["run", "--rm", "--network", "host", image, "true"] },
  {
    name: "exec",
    args: ["exec", "bench-target-NAME", "true"],
    before: (subject) => quiet(subject, "run", "-d", "--name", "bench-target-NAME", image, "sleep", "100000"),
    after: (subject) => quiet(subject, "rm", "-f", "bench-target-NAME"),
  },
  {
    name: "create + rm",
    args: ["create", "--name", "bench-created-NAME", image],
    after: (subject) => quiet(subject, "rm", "-f", "bench-created-NAME"),
  },
  { name: "--version", args: ["--version"] },
  { name: "version", args: ["version"] },
  {
    name: "logs of 1 M lines",
    args: ["logs", "bench-lines-NAME"],
    rounds: 3,
    before: (subject) => quiet(subject, "run", "--name", "bench-lines-NAME", image, "seq", "1000000"),
    after: (subject) => quiet(subject, "rm", "-f", "bench-lines-NAME"),
  },
  { name: "run attached, 1 M lines", args: ["run", "--rm", image, "seq", "1000000"], rounds: 3 },
];

const rows: string[] = [];
try {
  for (const subject of subjects) console.error(`measuring ${subject.name}`);
  for (const one of cases) {
    if (options.only !== undefined && !one.name.includes(options.only)) continue;
    const medians = await measure(one, one.rounds ?? options.rounds);
    rows.push(row(one.name, medians));
    console.log(rows.at(-1));
  }
  rows.push(await parallel());
  console.log(rows.at(-1));
  rows.push(await listMany());
  console.log(rows.at(-1));
  console.log(`memory of the daemon: ${daemon.residentMegabytes()} MB`);
} finally {
  await daemon.stop();
}
if (options.write) writeReport();

/** Interleaved: the order turns round each round, so that drift of the machine hits all alike. */
async function measure(one: Case, rounds: number): Promise<Map<string, number>> {
  const times = new Map(subjects.map(({ name }) => [name, [] as number[]]));
  for (const subject of subjects) if (one.name !== "create + rm") await one.before?.(subject);
  for (let round = 0; round < rounds; round++) {
    for (const subject of round % 2 === 0 ? subjects : [...subjects].reverse()) {
      const started = performance.now();
      await quiet(subject, ...one.args);
      times.get(subject.name)?.push(performance.now() - started);
      if (one.name === "create + rm") await one.after?.(subject);
      await Bun.sleep(40);
    }
  }
  for (const subject of subjects) if (one.name !== "create + rm") await one.after?.(subject);
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}

async function parallel(): Promise<string> {
  const medians = new Map<string, number>();
  for (const subject of subjects) {
    const started = performance.now();
    for (let batch = 0; batch < 5; batch++) {
      await Promise.all(Array.from({ length: 10 }, () => quiet(subject, "run", "--rm", image, "true")));
    }
    medians.set(subject.name, performance.now() - started);
  }
  return row("50 runs, ten at a time", medians);
}

async function listMany(): Promise<string> {
  const medians = new Map<string, number>();
  for (const subject of subjects) {
    const names = Array.from({ length: 200 }, (_, index) => `bench-many-NAME-${index}`);
    for (let batch = 0; batch < names.length; batch += 20) {
      await Promise.all(names.slice(batch, batch + 20).map((name) => quiet(subject, "create", "--name", name, image, "true")));
    }
    const times: number[] = [];
    for (let round = 0; round < 10; round++) {
      const started = performance.now();
      await quiet(subject, "ps", "-a");
      times.push(performance.now() - started);
    }
    medians.set(subject.name, median(times));
    await quiet(subject, "rm", ...names);
  }
  return row("ps -a, 200 containers", medians);
}

async function findSubjects(gantry: BenchDaemon): Promise<Subject[]> {
  const found: Subject[] = [];
  const dockerHost = process.env["GANTRY_PEER_DOCKER_HOST"] ?? "unix:///var/run/docker.sock";
  const docker = Bun.which("docker");
  const answers =
    docker && (await Bun.spawn([docker, "-H", dockerHost, "version"], { stdio: ["ignore", "ignore", "ignore"] }).exited) === 0;
  if (docker && answers) {
    found.push({ name: "docker", command: (...args) => [docker, ...args], environment: { DOCKER_HOST: dockerHost } });
    await loadBusybox({ socket: dockerHost.replace("unix://", "") });
  } else console.error(`Docker does not answer at ${dockerHost}: left out`);
  if (docker)
    found.push({ name: "docker CLI on gantry", command: (...args) => [docker, ...args], environment: { DOCKER_HOST: gantry.host } });
  found.push({ name: "gantry", command: (...args) => [gantry.executable, ...args], environment: { DOCKER_HOST: gantry.host } });
  return found;
}

async function quiet(subject: Subject, ...args: string[]): Promise<void> {
  // Two of the subjects share a daemon.
  const own = args.map((argument) => argument.replace("NAME", subject.name.replaceAll(" ", "-")));
  const child = Bun.spawn(subject.command(...own), {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...subject.environment },
  });
  const [text, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new Error(`${subject.name} ${args.join(" ")}: ${text}`);
}

function row(name: string, medians: ReadonlyMap<string, number>): string {
  const base = medians.get("docker");
  const cells = subjects.map((subject) => {
    const value = medians.get(subject.name) ?? 0;
    const ratio = base !== undefined && subject.name !== "docker" ? ` (${(base / value).toFixed(1)}×)` : "";
    return `${value.toFixed(1)}${ratio}`;
  });
  return `| ${name} | ${cells.join(" | ")} |`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function writeReport(): void {
  const head = `| milliseconds, median | ${subjects.map(({ name }) => name).join(" | ")} |\n| --- | ${subjects.map(() => "---").join(" | ")} |`;
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GB, Linux ${release()}`;
  const text = `# Benchmarks\n\nWall time at the user's end, from the start of the client to its end; interleaved runs, ${options.rounds} rounds. In parentheses: how many times\nfaster than Docker. Made by \`npm run bench -- --write\` on ${machine}. The daemon used ${daemon.residentMegabytes()} MB afterwards.\n\n${head}\n${rows.join("\n")}\n`;
  writeFileSync("docs/benchmarks.md", text);
}

function parseOptions(args: readonly string[]): { rounds: number; only: string | undefined; write: boolean } {
  const value = (name: string): string | undefined => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  return { rounds: Number(value("--rounds") ?? 25), only: value("--only"), write: args.includes("--write") };
}
