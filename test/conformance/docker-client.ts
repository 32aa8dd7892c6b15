import type { Finished } from "../support/docker.ts";

/** Docker's client with an end: one that hangs is killed, which its exit code tells. */
export async function runDocker(socket: string, input: string | undefined, args: readonly string[]): Promise<Finished> {
  const child = Bun.spawn(["docker", "-H", `unix://${socket}`, ...args], {
    stdin: input === undefined ? "ignore" : new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
    timeout: 30_000,
    killSignal: "SIGKILL",
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", DOCKER_CONFIG: "/nonexistent" },
  });
  const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { stdout, stderr, code };
}
