import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPipe, PipeReader } from "#os/process/pipe.ts";
import { libc } from "#os/libc.ts";
import { until } from "../../support/until.ts";

const applets = ["sh", "awk", "cat", "echo", "seq", "sleep", "head", "usleep", "yes"];
const hugetlb = "/sys/fs/cgroup/hugetlb";
let made = 0;

/** A container under the real conmon and crun, without a daemon. Everything it makes lies in one folder below /tmp and is named by it. */
export class ConmonContainer implements AsyncDisposable {
  readonly id: string;
  readonly folder: string;
  readonly #runtimeRoot: string;
  readonly #disk: string | undefined;
  #pid = 0;

  /** @param diskBytes  spool and logs lie on a disk of their own of this size, at `folder/disk` */
  constructor(diskBytes?: number) {
    this.id = `gantry-log-test-${process.pid}-${++made}`;
    // Short: conmon's socket lies below, and its path has 107 bytes at most.
    this.folder = mkdtempSync(join(tmpdir(), "glt-"));
    this.#runtimeRoot = `${this.folder}/rt`;
    for (const name of ["bundle", "rt", "exits", "disk"]) mkdirSync(`${this.folder}/${name}`);
    if (diskBytes !== undefined) this.#disk = mountDisk(`${this.folder}/disk`, diskBytes);
    for (const path of [this.spoolFolder, this.logsFolder]) mkdirSync(path);
    makeRoot(`${this.folder}/root`);
  }

  get spoolFolder(): string {
    return `${this.folder}/disk/spool`;
  }

  get logsFolder(): string {
    return `${this.folder}/disk/logs`;
  }

  get attachSocket(): string {
    return `${this.folder}/bundle/attach`;
  }

  get exitFile(): string {
    return `${this.folder}/exits/${this.id}`;
  }

  get ended(): boolean {
    return existsSync(this.exitFile) && readFileSync(this.exitFile, "utf8") !== "";
  }

  /** @param script  for busybox sh */
  async create(script: string, spoolSegmentBytes = 1 << 30): Promise<void> {
    prepareCgroups();
    const bundle = `${this.folder}/bundle`;
    await succeed(["crun", "spec"], bundle);
    const spec = JSON.parse(readFileSync(`${bundle}/config.json`, "utf8")) as {
      process: { terminal: boolean; args: string[] };
      root: unknown;
      linux: { cgroupsPath?: string };
    };
    spec.process.terminal = false;
    spec.process.args = ["/bin/sh", "-c", script];
    spec.root = { path: `${this.folder}/root`, readonly: true };
    spec.linux.cgroupsPath = `/${this.id}`;
    writeFileSync(`${bundle}/config.json`, JSON.stringify(spec));
    this.#pid = await this.#startConmon(bundle, spoolSegmentBytes);
  }

  start(): void {
    const fifo = `${this.#runtimeRoot}/${this.id}/exec.fifo`;
    const descriptor = openSync(fifo, "w");
    unlinkSync(fifo);
    writeSync(descriptor, "1");
    closeSync(descriptor);
  }

  async exit(limitMilliseconds = 60_000): Promise<number> {
    await until(() => this.ended, limitMilliseconds);
    return Number(readFileSync(this.exitFile, "utf8"));
  }

  kill(): void {
    process.kill(this.#pid, "SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const removal = Bun.spawn(["crun", "--root", this.#runtimeRoot, "delete", "-f", this.id], { stdio: ["ignore", "ignore", "ignore"] });
    await removal.exited;
    if (this.#disk !== undefined) Bun.spawnSync(["umount", "-l", this.#disk]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startConmon(bundle: string, spoolSegmentBytes: number): Promise<number> {
    const sync = openPipe();
    const child = Bun.spawn(
      [
        ...["conmon", "-c", this.id, "-u", this.id, "-n", this.id, "-b", bundle, "-r", Bun.which("crun") ?? "crun"],
        ...["-p", `${bundle}/pid`, "-l", `k8s-file:${this.spoolFolder}/log`, "--no-sync-log", "--log-size-max", String(spoolSegmentBytes)],
        ...["--exit-dir", `${this.folder}/exits`, "--full-attach", "--runtime-arg", "--root", "--runtime-arg", this.#runtimeRoot],
      ],
      {
        stdio: ["ignore", "ignore", "inherit", sync.write],
        env: { PATH: process.env["PATH"] ?? "", TZ: "UTC", _OCI_SYNCPIPE: "3" },
      },
    );
    libc.close(sync.write);
    await child.exited;
    const reader = new PipeReader(sync.read);
    const line = Buffer.from((await reader.read()) ?? []).toString();
    await reader.close();
    const { pid = -1, message } = JSON.parse(line) as { pid?: number; message?: string };
    if (pid <= 0) throw new Error(`conmon: ${message ?? line}`);
    return pid;
  }
}

function mountDisk(path: string, sizeBytes: number): string {
  const { exitCode } = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${sizeBytes}`, "tmpfs", path]);
  if (exitCode !== 0) throw new Error(`cannot mount ${path}`);
  return path;
}

function makeRoot(root: string): void {
  for (const name of ["bin", "proc", "dev", "sys", "tmp"]) mkdirSync(`${root}/${name}`, { recursive: true });
  copyFileSync(Bun.which("busybox") ?? "/bin/busybox", `${root}/bin/busybox`);
  for (const applet of applets) symlinkSync("busybox", `${root}/bin/${applet}`);
}

/** crun 1.8 refuses to run while a controller is left to cgroup v2 on a hybrid host. */
function prepareCgroups(): void {
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  if (!mounts.includes(" cgroup ") || mounts.includes(` ${hugetlb} `)) return;
  mkdirSync(hugetlb, { recursive: true });
  Bun.spawnSync(["mount", "-t", "cgroup", "-o", "hugetlb", "cgroup", hugetlb]);
}

async function succeed(command: string[], folder: string): Promise<void> {
  const child = Bun.spawn(command, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")}: ${await new Response(child.stderr).text()}`);
}
