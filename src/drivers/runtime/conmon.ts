import { readFileSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import { libc } from "#os/libc.ts";
import { openPipe, PipeReader } from "#os/process/pipe.ts";
import { childEnvironment } from "#os/process/self.ts";

/** How to call the runtime: a path and the arguments that come before its command. */
export interface RuntimeCommand {
  readonly path: string;
  readonly rootFolder: string;
  readonly environment: Readonly<Record<string, string>>;
}

interface MonitorOptions {
  readonly conmonPath: string;
  readonly runtime: RuntimeCommand;
  readonly containerId: string;
  /** The container's id, or that of the exec. */
  readonly uniqueId: string;
  readonly name: string;
  readonly bundle: string;
  /** Folder of the exit file, which is named by `containerId`. */
  readonly exitFolder: string;
  readonly persistFolder?: string;
  /** k8s-file; absent: output goes nowhere. */
  readonly spoolLog?: string;
  readonly spoolSizeLimitBytes: number;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  /** Process file of an exec. */
  readonly execProcessFile?: string;
  /** Folder of the checkpoint that the container goes on from. */
  readonly checkpoint?: string;
}

/** What conmon's sync pipe is called in conmon. */
export const syncPipeDescriptor = "3";

export const monitorFiles = {
  pid: (bundle: string) => `${bundle}/pid`,
  monitorPid: (bundle: string) => `${bundle}/conmon.pid`,
  attach: (bundle: string) => `${bundle}/attach`,
  /** What the runtime complained of. */
  runtimeLog: (bundle: string) => `${bundle}/runtime.log`,
  control: (bundle: string) => `${bundle}/ctl`,
  /** What criu has written at a restore: conmon has it work in the bundle. */
  restoreLog: (bundle: string) => `${bundle}/restore.log`,
};

/**
 * Starts conmon and waits for the pid it tells on its sync pipe. conmon forks away at once and stays with the container; it is not our
 * child any more when this returns.
 * @throws {RuntimeFailure} with the runtime's own message
 * Source: conmon(8); the pipe's lines are `{"pid":N}` or `{"pid":-1,"message":"…"}`, for an exec (only with API version 1) `{"data":N}`.
 */
export async function startMonitor(options: MonitorOptions): Promise<number> {
  const sync = openPipe();
  // Nothing that waits may stand between these two lines: the child must have the writing end before ours is closed.
  const child = Bun.spawn([options.conmonPath, ...monitorArguments(options)], {
    cwd: options.bundle, // it leaves a file `oom` where it runs
    stdio: ["ignore", "ignore", "ignore", sync.write],
    env: childEnvironment({ ...options.runtime.environment, TZ: "UTC", _OCI_SYNCPIPE: syncPipeDescriptor }),
  });
  libc.close(sync.write);
  child.unref();
  const reader = new PipeReader(sync.read);
  try {
    const line = await readLine(reader);
    // The parent writes the pid file of the monitor before it ends; under load it may come later than the answer.
    await child.exited;
    // With a terminal conmon passes no complaint on: it stands in the runtime's log.
    return parseSyncLine(line, () => readText(monitorFiles.runtimeLog(options.bundle)));
  } finally {
    await reader.close();
  }
}

function monitorArguments(options: MonitorOptions): string[] {
  const { runtime, bundle } = options;
  return [
    ...["-c", options.containerId, "-u", options.uniqueId, "-n", options.name, "-b", bundle, "-r", runtime.path],
    ...["-p", monitorFiles.pid(bundle), "--conmon-pidfile", monitorFiles.monitorPid(bundle)],
    ...["-l", options.spoolLog === undefined ? "none" : `k8s-file:${options.spoolLog}`, "--no-sync-log"],
    ...["--log-size-max", String(options.spoolSizeLimitBytes)],
    ...["--exit-dir", options.exitFolder, "--full-attach", "--log-level", "error"],
    ...(options.persistFolder === undefined ? [] : ["--persist-dir", options.persistFolder]),
    ...(options.tty ? ["-t"] : []),
    // Without --leave-stdin-open the first client that leaves closes stdin for good.
    ...(options.openStdin ? ["-i", ...(options.stdinOnce ? [] : ["--leave-stdin-open"])] : []),
    ...(options.execProcessFile === undefined ? [] : ["--api-version", "1", "-e", "--exec-process-spec", options.execProcessFile]),
    ...(options.checkpoint === undefined ? [] : ["--restore", options.checkpoint]),
    ...["--runtime-arg", "--root", "--runtime-arg", runtime.rootFolder],
    ...["--runtime-arg", "--log", "--runtime-arg", monitorFiles.runtimeLog(bundle)],
  ];
}

const syncLineLimitBytes = 1 << 20;

/** The first line: that of a short exec is followed at once by its exit code. */
async function readLine(reader: PipeReader): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = await reader.read();
    if (!chunk) break;
    chunks.push(chunk);
    length += chunk.length;
    if (chunk.includes(10) || length > syncLineLimitBytes) break;
  }
  return Buffer.concat(chunks).toString().split("\n", 1)[0] ?? "";
}

function parseSyncLine(line: string, complaint: () => string): number {
  if (line === "") throw new RuntimeFailure(complaint() || "the container monitor ended without an answer");
  let answer: { pid?: number; data?: number; message?: string };
  try {
    answer = JSON.parse(line) as typeof answer;
  } catch {
    throw new RuntimeFailure(`the container monitor answered ${JSON.stringify(line.slice(0, 200))}`);
  }
  const pid = answer.pid ?? answer.data ?? -1;
  if (pid > 0) return pid;
  throw new RuntimeFailure(answer.message || complaint() || "the runtime gave no reason");
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it did not complain
  }
}

/** Path of the socket through which a container under conmon gets its input. */
export function attachSocket(bundle: string): string {
  return monitorFiles.attach(bundle);
}

/** The runtime refused. The message is its own; `failure.ts` turns it into what Docker's clients know. */
export class RuntimeFailure extends EngineError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("internal", message.trim(), options);
  }
}
