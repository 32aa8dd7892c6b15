import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../support/until.ts";

const main = join(import.meta.dir, "../../../src/main.ts");
let counter = 0;

interface StartOptions {
  /** How many addresses to wait for; 1 when absent. */
  readonly listeners?: number;
  /** Words in front of the command. */
  readonly before?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A daemon by its command line alone: for what `startDaemon` decides itself, above all where it listens and whether it starts at all. */
export class BareDaemon implements AsyncDisposable {
  readonly folder: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  #child: Bun.Subprocess<"ignore", "pipe", "pipe"> | undefined;
  #text = "";

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "gantry-bare-"));
    this.dataRoot = join(this.folder, "data");
    this.execRoot = `/run/gantry-bare-${process.pid}-${++counter}`;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** What it has written so far, on both streams. */
  get output(): string {
    return this.#text;
  }

  /** Writes a daemon.json and returns its path. */
  configure(settings: unknown): string {
    const path = join(this.folder, "daemon.json");
    writeFileSync(path, typeof settings === "string" ? settings : JSON.stringify(settings));
    return path;
  }

  /** The words of the command; `before` is put in front, for example a program that hands sockets over. */
  command(args: readonly string[], before: readonly string[] = []): string[] {
    const config = args.some((word) => word.startsWith("--config-file")) ? [] : ["--config-file=/dev/null"];
    return [...before, process.execPath, main, "daemon", "--data-root", this.dataRoot, "--exec-root", this.execRoot, ...config, ...args];
  }

  /** Starts it and waits until it says on how many addresses it listens. @throws when it ends before */
  async start(args: readonly string[], options: StartOptions = {}): Promise<void> {
    const env = { ...process.env, ...options.environment };
    const child = Bun.spawn(this.command(args, options.before), { stdin: "ignore", stdout: "pipe", stderr: "pipe", env });
    this.#child = child;
    this.#text = "";
    void this.#collect(child.stdout);
    void this.#collect(child.stderr);
    await until(() => {
      if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}: ${this.#text}`);
      return this.addresses().length >= (options.listeners ?? 1);
    }, 20_000);
  }

  /** Runs it to its end, which must come by itself. */
  async fail(args: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
    const child = Bun.spawn(this.command(args), { stdio: ["ignore", "pipe", "pipe"], timeout: 20_000 });
    const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
    return { code, output: stdout + stderr };
  }

  /** Where it listens, as its log says. */
  addresses(): string[] {
    return [...this.#text.matchAll(/"address":"([^"]+)","msg":"API listens"/g)].map((match) => match[1] ?? "");
  }

  port(): number {
    return Number(/:(\d+)$/.exec(this.addresses().find((address) => address.startsWith("tcp://")) ?? "")?.[1]);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async stop(): Promise<void> {
    this.#child?.kill("SIGTERM");
    await this.#child?.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    const roots = ["--data-root", this.dataRoot, "--exec-root", this.execRoot, "--config-file=/dev/null"];
    const purge = Bun.spawn([process.execPath, main, "system", "purge", "--force", "--data", ...roots], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    if ((await purge.exited) !== 0) throw new Error("the instance of the test could not be purged");
    Bun.spawnSync(["rm", "-rf", this.folder]);
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#text += decoder.decode(chunk, { stream: true });
  }
}
