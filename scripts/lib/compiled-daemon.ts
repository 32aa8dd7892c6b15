import { mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureExecutable } from "./executable.ts";
import { loadBusybox } from "../../test/support/images.ts";

export interface CompiledDaemon {
  readonly host: string;
  readonly socket: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly executable: string;
  readonly pid: () => number;
  residentMegabytes(): number;
  start(): Promise<void>;
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** The compiled daemon with roots of its own and the test image loaded. @param flags  further ones of the daemon */
export async function startCompiledDaemon(flags: readonly string[] = []): Promise<CompiledDaemon> {
  const { path: executable } = await ensureExecutable();
  const dataRoot = mkdtempSync(join(tmpdir(), "gantry-bench-"));
  const execRoot = `/run/gantry-bench-${process.pid}`;
  const socket = `${execRoot}/g.sock`;
  mkdirSync(execRoot, { recursive: true });
  let child: Bun.Subprocess | undefined;
  const daemon: CompiledDaemon = {
    host: `unix://${socket}`,
    socket,
    dataRoot,
    execRoot,
    executable,
    pid: () => child?.pid ?? 0,
    residentMegabytes: () => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child?.pid}/status`, "utf8"))?.[1] ?? 0) / 1024),
    async start() {
      child = Bun.spawn(
        [
          executable,
          "daemon",
          "--data-root",
          dataRoot,
          "--exec-root",
          execRoot,
          "-H",
          `unix://${socket}`,
          "--config-file=/dev/null",
          "--log-level=warn",
          ...flags,
        ],
        {
          stdio: ["ignore", "inherit", "inherit"],
        },
      );
      for (const end = performance.now() + 30_000; performance.now() < end; await Bun.sleep(20)) {
        const answers = await fetch("http://d/_ping", { unix: socket }).then(
          (response) => response.ok,
          () => false,
        );
        if (answers) return;
        if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}`);
      }
      throw new Error("the daemon does not answer");
    },
    async kill() {
      child?.kill("SIGKILL");
      await child?.exited;
    },
    async stop() {
      child?.kill("SIGTERM");
      await child?.exited;
      const purge = Bun.spawn(
        [executable, "system", "purge", "--force", "--data", "--data-root", dataRoot, "--exec-root", execRoot, "--config-file=/dev/null"],
        { stdio: ["ignore", "ignore", "inherit"] },
      );
      await purge.exited;
    },
  };
  await daemon.start();
  await loadBusybox(daemon);
  return daemon;
}
