import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bodyWithNetwork } from "./no-bridges.ts";
import { patience } from "./until.ts";

/** A daemon of its own for one test file: real, as root, with roots nobody else has. */
export interface TestDaemon extends AsyncDisposable {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly socket: string;
  /** Value for DOCKER_HOST. */
  readonly host: string;
  readonly pid: number;
  /** The daemon's log so far. */
  readonly log: () => string;
  /** Ends it the hard way; containers stay. */
  kill(): Promise<void>;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** Starts it again on the same roots; resolves when the API answers. */
  start(): Promise<void>;
  request(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly body: unknown; readonly text: string }>;
}

const main = join(import.meta.dir, "../../src/main.ts");
let counter = 0;

/** @param options.dataRoot  an existing folder; a temporary one when absent */
export async function startDaemon(options: { readonly args?: readonly string[]; readonly dataRoot?: string } = {}): Promise<TestDaemon> {
  const dataRoot = options.dataRoot ?? mkdtempSync(join(tmpdir(), "gantry-test-"));
  // Sockets lie below it, whose paths have 107 bytes at most.
  const execRoot = `/run/gantry-test-${process.pid}-${++counter}`;
  const socket = `${execRoot}/g.sock`;
  mkdirSync(execRoot, { recursive: true });
  let child: Bun.Subprocess<"ignore", "pipe", "pipe"> | undefined;
  let text = "";

  const daemon: TestDaemon = {
    dataRoot,
    execRoot,
    socket,
    host: `unix://${socket}`,
    get pid() {
      return child?.pid ?? 0;
    },
    log: () => text,
    async start() {
      const command = [
        process.execPath,
        main,
        "daemon",
        "--data-root",
        dataRoot,
        "--exec-root",
        execRoot,
        "-H",
        `unix://${socket}`,
        "--config-file=/dev/null",
        ...(options.args ?? []),
      ];
      child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", env: process.env }); // with what a test has set
      void collect(child.stderr, (chunk) => (text += chunk));
      await untilAnswers(child, socket, () => text);
    },
    async kill() {
      child?.kill("SIGKILL");
      await child?.exited;
    },
    async stop() {
      child?.kill("SIGTERM");
      await child?.exited;
    },
    async request(method, path, body) {
      const response = await fetch(`http://d${path}`, {
        unix: socket,
        method,
        ...(body !== undefined && {
          body: JSON.stringify(bodyWithNetwork(method, path, body)),
          headers: { "Content-Type": "application/json" },
        }),
      });
      const answer = await response.text();
      return { status: response.status, text: answer, body: parse(answer) };
    },
    async [Symbol.asyncDispose]() {
      if (child?.exitCode === null) await removeContainers(daemon).catch(() => undefined);
      await daemon.stop();
      const purge = Bun.spawn(
        [
          process.execPath,
          main,
          "system",
          "purge",
          "--force",
          "--data",
          "--data-root",
          dataRoot,
          "--exec-root",
          execRoot,
          "--config-file=/dev/null",
        ],
        { stdio: ["ignore", "ignore", "inherit"] },
      );
      if ((await purge.exited) !== 0) throw new Error("the instance of the test could not be purged");
    },
  };
  await daemon.start();
  return daemon;
}

async function removeContainers(daemon: TestDaemon): Promise<void> {
  const { body } = await daemon.request("GET", "/containers/json?all=1");
  for (const { Id } of body as { Id: string }[]) await daemon.request("DELETE", `/containers/${Id}?force=1&v=1`);
}

async function untilAnswers(child: Bun.Subprocess, socket: string, log: () => string): Promise<void> {
  for (const end = performance.now() + 20_000 * patience; performance.now() < end; await Bun.sleep(20)) {
    if (child.exitCode !== null) throw new Error(`the daemon ended with ${child.exitCode}:\n${log()}`);
    const answers = await fetch("http://d/_ping", { unix: socket }).then(
      (response) => response.ok,
      () => false,
    );
    if (answers) return;
  }
  throw new Error(`the daemon does not answer:\n${log()}`);
}

async function collect(stream: ReadableStream<Uint8Array>, take: (text: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  for await (const chunk of stream) take(decoder.decode(chunk, { stream: true }));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON: the caller looks at the text
  }
}
