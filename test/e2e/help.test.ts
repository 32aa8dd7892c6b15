import { describe, expect, test } from "bun:test";
import { comparableDocker } from "../support/docker.ts";
import { join } from "node:path";
import { commonCommands, groups, otherCommands } from "../../src/cli/commands.ts";

// Features ENG-39 and ENG-09: every command is listed with a line of text, and explains itself; the version is told in one line.
const gantry = [process.execPath, join(import.meta.dir, "../../src/main.ts")];
const docker = comparableDocker();

async function run(command: readonly string[], ...args: readonly string[]) {
  const child = Bun.spawn([...command, ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", DOCKER_HOST: "unix:///nonexistent/daemon.sock" },
  });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { out, err, code };
}

const visible = [...commonCommands, ...otherCommands].filter((one) => !("isHidden" in one && one.isHidden));
const paths = [...visible.map(({ name }) => [name]), ...groups.flatMap((group) => group.children.map(({ name }) => [group.name, name]))];
/** Flags of Docker's client for daemons on Windows, and experimental ones. */
const elsewhere = new Set("cpu-count cpu-percent io-maxbandwidth io-maxiops use-api-socket".split(" "));
/** Those for CSI volumes of a swarm. */
const ofSwarms: Readonly<Record<string, readonly string[]>> = {
  "volume create": "availability group limit-bytes required-bytes scope secret sharing topology-preferred topology-required type".split(
    " ",
  ),
  "volume ls": ["cluster"],
};
/** Flags that Docker's client does not have. */
const dryRun = ["dry-run", "format"];
const beyond: Readonly<Record<string, readonly string[]>> = {
  pull: ["referrers"],
  "image pull": ["referrers"],
  ...Object.fromEntries(["container", "image", "network", "system", "volume"].map((noun) => [`${noun} prune`, dryRun])),
};
/** Commands that Docker does not have. */
const ours = new Set([
  "completion",
  "daemon",
  "doctor",
  "image bootstrap",
  "image referrers",
  "image verify",
  "system audit",
  "system gc",
  "system purge",
]);

describe("help", () => {
  test.each([["--help"], ["help"], []])("gantry %s lists every command with a line about it", async (...args) => {
    const { out, err, code } = await run(gantry, ...args);
    expect(code).toBe(0);
    const text = args.length === 0 ? err : out;
    for (const { name, summary } of [...visible, ...groups]) expect(text).toMatch(new RegExp(`^  ${name} +${escaped(summary)}`, "m"));
  });

  test.each(paths)("gantry %s %s --help", async (...path) => {
    const words = path.filter((word) => typeof word === "string");
    const { out, err, code } = await run(gantry, ...words, "--help");
    expect({ err, code }).toEqual({ err: "", code: 0 });
    expect(out).toContain(`Usage:  gantry ${words.join(" ")}`);
  });

  test.each(groups.map(({ name }) => name))("gantry %s --help lists the commands of the noun", async (name) => {
    const { out, code } = await run(gantry, name, "--help");
    expect(code).toBe(0);
    for (const child of groups.find((group) => group.name === name)?.children ?? []) expect(out).toContain(`\n  ${child.name} `);
  });

  test("an unknown command with --help is no failure, as in Docker's client", async () => {
    expect((await run(gantry, "nosuch", "--help")).code).toBe(0);
    expect((await run(gantry, "container", "nosuch", "--help")).out).toContain("Usage:  gantry container COMMAND");
  });
});

describe.skipIf(docker === undefined)("beside Docker's client (skipped: docker 28 is not installed)", () => {
  test.each(paths.filter((path) => !ours.has(path.join(" "))))("%s %s: the same usage line, aliases and flags", async (...path) => {
    const words = path.filter((word) => typeof word === "string");
    const [theirs, mine] = await Promise.all([run([docker ?? ""], ...words, "--help"), run(gantry, ...words, "--help")]);
    const renamed = mine.out.replaceAll("gantry ", "docker ");
    expect(renamed.split("\n")[0]).toBe(theirs.out.split("\n")[0] ?? "");
    expect(aliasesOf(renamed)).toEqual(aliasesOf(theirs.out));
    const left = new Set([...elsewhere, ...(ofSwarms[words.join(" ")] ?? [])]);
    const isOurs = (flag: string): boolean => !left.has(/--([\w-]+)/.exec(flag)?.[1] ?? "");
    const isShared = (flag: string): boolean => !beyond[words.join(" ")]?.includes(/--([\w-]+)/.exec(flag)?.[1] ?? "");
    expect(flagsOf(mine.out).filter(isOurs).filter(isShared)).toEqual(flagsOf(theirs.out).filter(isOurs));
  });
});

const aliasesOf = (text: string): readonly string[] => (/^Aliases:\n {2}(.*)$/m.exec(text)?.[1] ?? "").split(", ").toSorted();

/** `-f, --format string`: names and kinds of values. */
const flagsOf = (text: string): readonly string[] =>
  [...text.matchAll(/^ {2,6}((?:-\w, )?--[\w-]+(?: [\w-]+)?)(?= {2,}|$)/gm)].map(([, flag = ""]) => flag);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

describe("version", () => {
  test.each(["-v", "--version"])("gantry %s is one line", async (flag) => {
    const { out, code } = await run(gantry, flag);
    expect(out).toMatch(/^Gantry version \S+, build \S+\n$/);
    expect(code).toBe(0);
  });

  test("gantry version tells the client, and fails when no daemon answers", async () => {
    const { out, err, code } = await run(gantry, "version");
    expect(out).toStartWith("Client: Gantry\n Version: ");
    expect(err).toBe("Cannot connect to the Docker daemon at unix:///nonexistent/daemon.sock. Is the docker daemon running?\n");
    expect(code).toBe(1);
  });
});
