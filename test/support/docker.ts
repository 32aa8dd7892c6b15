import { wordsWithNetwork } from "./no-bridges.ts";

/** What a program run to its end has written. */
export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

const oldestComparable = 28;

/** Docker's client when it is new enough to be compared with: its words have changed over the years. Undefined without one. */
export function comparableDocker(): string | undefined {
  const program = Bun.which("docker");
  if (!program) return undefined;
  const version = Bun.spawnSync([program, "--version"]).stdout.toString();
  return Number(/version (\d+)\./.exec(version)?.[1] ?? 0) >= oldestComparable ? program : undefined;
}

/** Runs Docker's own client against a daemon. */
export function docker(host: string, ...args: readonly string[]): Promise<Finished> {
  return runWithInput(host, undefined, ...args);
}

export async function runWithInput(host: string, input: string | Uint8Array | undefined, ...args: readonly string[]): Promise<Finished> {
  const child = Bun.spawn(["docker", "-H", host, ...wordsWithNetwork(args)], {
    stdin: input === undefined ? "ignore" : new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", DOCKER_CONFIG: "/nonexistent" },
  });
  const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { stdout, stderr, code };
}
