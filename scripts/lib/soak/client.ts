import { readdirSync } from "node:fs";
import type { CompiledDaemon } from "../compiled-daemon.ts";

export const image = "busybox:latest";

export interface Answer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Runs our own client. */
export async function gantry(daemon: CompiledDaemon, ...args: readonly string[]): Promise<Answer> {
  const child = Bun.spawn([daemon.executable, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", DOCKER_HOST: daemon.host },
  });
  const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { stdout, stderr, code };
}

export async function removeAll(daemon: CompiledDaemon): Promise<void> {
  const ids = (await gantry(daemon, "ps", "-aq")).stdout.split("\n").filter(Boolean);
  if (ids.length > 0) await gantry(daemon, "rm", "-f", "-v", ...ids);
}

export function descriptors(daemon: CompiledDaemon): number {
  return readdirSync(`/proc/${daemon.pid()}/fd`).length;
}

export function firstDifference(got: string, wanted: string): string {
  const [gotLines, wantedLines] = [got.split("\n"), wanted.split("\n")];
  const at = wantedLines.findIndex((line, index) => gotLines[index] !== line);
  return `log differs at line ${at}: ${JSON.stringify(gotLines[at])} instead of ${JSON.stringify(wantedLines[at])}; ${gotLines.length} lines instead of ${wantedLines.length}`;
}
