/** What a program run to its end has written. */
export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Runs Docker's own client against a daemon. */
export function docker(host: string, ...args: readonly string[]): Promise<Finished> {
  return runWithInput(host, undefined, ...args);
}

export async function runWithInput(host: string, input: string | Uint8Array | undefined, ...args: readonly string[]): Promise<Finished> {
  const child = Bun.spawn(["docker", "-H", host, ...args], {
    stdin: input === undefined ? "ignore" : new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", DOCKER_CONFIG: "/nonexistent" },
  });
  const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { stdout, stderr, code };
}
