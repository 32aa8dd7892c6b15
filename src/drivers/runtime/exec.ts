import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { sleep } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { stringifyExact } from "#lib/exact-integers.ts";
import { watchFolder } from "#os/inotify.ts";
import { libc } from "#os/libc.ts";
import { isSameProcess, processStartTicks } from "#os/process/identity.ts";
import { openPipe, PipeReader, PipeWriter } from "#os/process/pipe.ts";
import { childEnvironment } from "#os/process/self.ts";
import { killDescendants } from "#os/process/tree.ts";
import { monitorFiles, startMonitor } from "./conmon.ts";
import { readExitCode } from "./exit-watch.ts";
import { toStartError } from "./failure.ts";
import type { OciRuntimeOptions } from "./oci-runtime.ts";
import type { ExecOutput, ExecRequest, MonitoredExec, PipedExec, StdinConnection } from "./types.ts";

/** Runs a program in a container with our own pipes as its stdio. The runtime process stays as its parent and passes the exit code on. */
export function execPiped(options: OciRuntimeOptions, request: ExecRequest): PipedExec {
  const { bundle } = request;
  mkdirSync(bundle, { recursive: true, mode: 0o700 });
  const processFile = writeProcess(request, false);
  const logFile = `${bundle}/log`;
  const pidFile = monitorFiles.pid(bundle);
  const [output, errors] = [openPipe(), openPipe()];
  const input = request.openStdin ? openPipe() : undefined;
  const { path, rootFolder, environment } = options.command;
  const child = Bun.spawn(
    // The runtime's own complaints go to a file: its stderr is the program's.
    [path, "--root", rootFolder, "--log", logFile, "exec", "--process", processFile, "--pid-file", pidFile, request.containerId],
    { stdio: [input?.read ?? "ignore", output.write, errors.write], env: childEnvironment(environment) },
  );
  for (const descriptor of [output.write, errors.write, input?.read]) if (descriptor !== undefined) libc.close(descriptor);

  return {
    stdout: toExecOutput(new PipeReader(output.read)),
    stderr: toExecOutput(withoutComplaint(new PipeReader(errors.read), () => complaintOf({ child, logFile, pidFile, runtime: path }))),
    stdin: input && toStdin(new PipeWriter(input.write)),
    pid: untilPid(pidFile, child),
    exit: child.exited.then(async (code) => {
      const complaint = (await readFile(logFile, "utf8").catch(() => "")).trim();
      if (complaint !== "" && code !== 0)
        throw toStartError(new EngineError("internal", complaint), "exec", options.family, request.process.args[0] ?? "");
      return code;
    }),
    kill() {
      killDescendants(child.pid);
      // What hangs before it has become the program.
      if (readPidFile(pidFile) === undefined) child.kill("SIGKILL");
    },
  };
}

/** Runs a program in a container under a conmon of its own: with a terminal, or without a client. */
export async function execMonitored(
  options: OciRuntimeOptions,
  request: ExecRequest & { readonly tty: boolean; readonly spoolLog?: string },
): Promise<MonitoredExec> {
  const { bundle } = request;
  const exitFolder = `${bundle}/exit`;
  mkdirSync(exitFolder, { recursive: true, mode: 0o700 });
  let pid: number;
  try {
    pid = await startMonitor({
      conmonPath: options.conmonPath,
      runtime: options.command,
      containerId: request.containerId,
      uniqueId: request.execId,
      name: request.execId,
      bundle,
      exitFolder,
      ...(request.spoolLog !== undefined && { spoolLog: request.spoolLog }),
      spoolSizeLimitBytes: execSpoolLimitBytes,
      tty: request.tty,
      openStdin: request.openStdin,
      stdinOnce: true,
      execProcessFile: writeProcess(request, request.tty),
    });
  } catch (error) {
    throw toStartError(error, "exec", options.family, request.process.args[0] ?? "");
  }
  const monitorPid = Number(readFileSync(monitorFiles.monitorPid(bundle), "utf8"));
  const monitorStartTicks = processStartTicks(monitorPid) ?? 0;
  return {
    process: { pid, pidStartTicks: processStartTicks(pid) ?? 0, monitorPid, monitorStartTicks },
    exit: untilExitFile(exitFolder, request.containerId, monitorPid, monitorStartTicks),
  };
}

const execSpoolLimitBytes = 1 << 30;
const monitorCheckMilliseconds = 2000;
const killedExitCode = 137;
const complaintMilliseconds = 500;

function writeProcess(request: ExecRequest, terminal: boolean): string {
  const file = `${request.bundle}/process.json`;
  writeFileSync(file, stringifyExact({ ...request.process, terminal }), { mode: 0o600 });
  return file;
}

/** conmon writes the exit file and leaves; one that is killed leaves without. */
function untilExitFile(folder: string, containerId: string, monitorPid: number, monitorStartTicks: number): Promise<number> {
  return new Promise((resolve) => {
    const look = (): void => {
      const alive = isSameProcess(monitorPid, monitorStartTicks);
      const code = readExitCode(`${folder}/${containerId}`) ?? (alive ? undefined : killedExitCode);
      if (code === undefined) return;
      watcher.close();
      clearInterval(timer);
      resolve(code);
    };
    const watcher = watchFolder(folder, look);
    const timer = setInterval(look, monitorCheckMilliseconds);
    look();
  });
}

function readPidFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8") || undefined;
  } catch {
    return undefined; // not made yet
  }
}

async function untilPid(file: string, child: Bun.Subprocess): Promise<number> {
  // Rarer with time: a hundred checks each second must not be a hundred busy loops.
  for (let pause = 2; ; pause = Math.min(pause * 1.5, 50)) {
    const ended = child.exitCode !== null || child.signalCode !== null;
    const text = await readFile(file, "utf8").catch(() => "");
    if (/^\d+$/.test(text)) return Number(text);
    if (ended) return 0;
    await sleep(pause);
  }
}

/** crun tells a failure on its stderr as well, which is the program's: what stands in its log file is taken out of the first piece. */
function withoutComplaint(reader: PipeReader, complaintOf: () => Promise<Buffer>): Pick<PipeReader, "read" | "close"> {
  let first = true;
  return {
    close: () => reader.close(),
    async read() {
      for (;;) {
        const chunk = await reader.read();
        if (!chunk || !first) return chunk;
        first = false;
        const complaint = await complaintOf();
        if (complaint.length === 0 || !Buffer.from(chunk).subarray(0, complaint.length).equals(complaint)) return chunk;
        if (chunk.length > complaint.length) return chunk.subarray(complaint.length);
      }
    },
  };
}

interface RunningExec {
  readonly child: Bun.Subprocess;
  readonly logFile: string;
  readonly pidFile: string;
  readonly runtime: string;
}

/** What the runtime complains of; known to be nothing when the program runs, or the runtime has ended without a word in its log. */
async function complaintOf(exec: RunningExec): Promise<Buffer> {
  for (const end = performance.now() + complaintMilliseconds; ; await sleep(1)) {
    const ended = exec.child.exitCode !== null || exec.child.signalCode !== null;
    const complaint = await readFile(exec.logFile).catch(() => Buffer.alloc(0));
    // The limit is for a program that has the runtime's name.
    if (complaint.length > 0 || ended || isProgram(exec) || performance.now() > end) return complaint;
  }
}

/** True when the process of the exec is the program's, and not the runtime's any more. Source: proc(5), `exe`. */
function isProgram({ pidFile, runtime }: RunningExec): boolean {
  try {
    const file = readlinkSync(`/proc/${readFileSync(pidFile, "utf8")}/exe`);
    // runc runs from a copy in memory.
    return basename(file) !== basename(runtime) && !file.startsWith("/memfd:runc");
  } catch {
    return false; // not made yet, or ended already
  }
}

function toExecOutput(reader: Pick<PipeReader, "read" | "close">): ExecOutput {
  return {
    read: () => reader.read(),
    close: () => reader.close(),
    drain() {
      void (async () => {
        while ((await reader.read()) !== undefined) continue;
      })();
    },
  };
}

function toStdin(writer: PipeWriter): StdinConnection {
  return {
    write: (chunk) => writer.write(chunk),
    end: () => void writer.close(),
    close: () => void writer.close(),
  };
}
