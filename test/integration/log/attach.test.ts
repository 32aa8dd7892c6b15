import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { WorkerLogHub } from "#drivers/log/hub.ts";
import type { LogLimits } from "#drivers/log/protocol.ts";
import type { LogConfig, OutputReader, OutputReaderOptions } from "#drivers/log/types.ts";
import { silentLogger } from "#lib/log.ts";
import { until } from "../../support/until.ts";
import { ConmonContainer } from "./conmon.ts";
import { loggedText } from "./logged.ts";

const never = new AbortController().signal;
const wanted: OutputReaderOptions = { from: 0, stdout: true, stderr: true, framed: false, lag: "hold" };
const limits: Partial<LogLimits> = { lagBytes: 4 << 20, freeStepBytes: 1 << 20 };

let hub: WorkerLogHub;
beforeAll(() => {
  hub = new WorkerLogHub(silentLogger, limits);
});
afterAll(() => hub.close());

function configOf(container: ConmonContainer, change: Partial<LogConfig> = {}): LogConfig {
  const { id: containerId, spoolFolder, logsFolder } = container;
  return { containerId, spoolFolder, logsFolder, driver: "json-file", options: {}, attributes: {}, tty: false, ...change };
}

/** A container that prints under the hub; `end` resolves when all of it is in the log. */
async function run(container: ConmonContainer, script: string, change: Partial<LogConfig> = {}, segmentBytes?: number) {
  await hub.open(configOf(container, change));
  await container.create(script, segmentBytes);
  hub.setValve(container.id, container.attachSocket);
  const end = async (): Promise<void> => {
    await container.exit(120_000);
    hub.releaseValve(container.id);
    await hub.finish(container.id);
  };
  return { end };
}

/** Reads to the end; `pause` is awaited between pieces. */
async function digestOf(
  reader: OutputReader,
  pause: (bytes: number) => Promise<void> = async () => {},
): Promise<{ bytes: number; digest: string }> {
  const hasher = new Bun.CryptoHasher("sha256");
  let bytes = 0;
  for (let piece = await reader.read(); piece; piece = await reader.read()) {
    hasher.update(piece);
    bytes += piece.length;
    await pause(bytes);
  }
  return { bytes, digest: hasher.digest("hex") };
}

/** What `seq 1 count` prints. */
function sequence(count: number): { bytes: number; digest: string } {
  const hasher = new Bun.CryptoHasher("sha256");
  let bytes = 0;
  for (let from = 1; from <= count; from += 10_000) {
    const text = Array.from({ length: Math.min(10_000, count - from + 1) }, (_, index) => `${from + index}\n`).join("");
    hasher.update(text);
    bytes += text.length;
  }
  return { bytes, digest: hasher.digest("hex") };
}

const spoolBytes = (container: ConmonContainer): number =>
  Bun.spawnSync(["du", "-s", "-B1", container.spoolFolder]).stdout.toString().split("\t").map(Number)[0] ?? 0;

describe("an attached client", () => {
  test("that keeps up gets every byte, and so does the log", async () => {
    await using container = new ConmonContainer();
    const { end } = await run(container, "seq 1 1000000");
    const reader = hub.attach(container.id, wanted, never);
    const start = performance.now();
    container.start();
    const ended = end();
    const got = await digestOf(reader);
    const attached = performance.now() - start;
    await ended;
    console.log(`1 M lines: attached after ${attached.toFixed(0)} ms, log complete after ${(performance.now() - start).toFixed(0)} ms`);
    expect(got).toEqual(sequence(1_000_000));
    expect(loggedText(container.logsFolder, "stdout").length).toBe(got.bytes);
  }, 60_000);

  test("that is slow holds its container back and loses nothing, and the spool stays small", async () => {
    await using container = new ConmonContainer();
    const { end } = await run(container, "seq 1 3000000");
    const reader = hub.attach(container.id, wanted, never);
    container.start();
    const ended = end();
    let largest = 0;
    let pieces = 0;
    const got = await digestOf(reader, async (bytes) => {
      if (bytes < 12_000_000) await Bun.sleep(15);
      if (++pieces % 8 === 0) largest = Math.max(largest, spoolBytes(container));
    });
    await ended;
    expect(got).toEqual(sequence(3_000_000));
    // Printed were 90 MB of records; kept at most the lag, what conmon had in its hands, and pieces not freed yet.
    expect(largest).toBeLessThan(24 << 20);
  }, 120_000);

  test("that never reads and came later is left behind, and stops nobody (E10)", async () => {
    await using container = new ConmonContainer();
    const { end } = await run(container, "seq 1 2000000");
    const stuck = hub.attach(container.id, { ...wanted, lag: "drop" }, never);
    const other = hub.attach(container.id, wanted, never);
    container.start();
    const ended = end();
    expect(await digestOf(other)).toEqual(sequence(2_000_000));
    await ended;
    await expect(stuck.read()).rejects.toMatchObject({ kind: "unavailable" });
  }, 60_000);

  test("that never reads does not keep its container from being killed", async () => {
    await using container = new ConmonContainer();
    const { end } = await run(container, "yes hold");
    const reader = hub.attach(container.id, wanted, never);
    container.start();
    // Held: the spool does not grow any more.
    let size = -1;
    await until(async () => {
      const before = size;
      size = hub.offset(container.id);
      await Bun.sleep(100);
      return size > limits.lagBytes! && size === before;
    });
    hub.releaseValve(container.id);
    container.kill();
    await end();
    await reader[Symbol.asyncDispose]();
    expect(await container.exit()).toBe(137);
  }, 60_000);

  test("reads on in older segments when conmon has gone through several files", async () => {
    await using container = new ConmonContainer();
    // Not at full speed: conmon would go through two files of this size between two looks of the worker.
    const script = "i=0; while [ $i -lt 50 ]; do seq $((i*20000+1)) $((i*20000+20000)); usleep 10000; i=$((i+1)); done";
    const { end } = await run(container, script, {}, 3_000_000);
    const reader = hub.attach(container.id, wanted, never);
    container.start();
    const ended = end();
    const got = await digestOf(reader, async (bytes) => {
      if (bytes < 3_000_000) await Bun.sleep(10);
    });
    await ended;
    expect(got).toEqual(sequence(1_000_000));
    expect(loggedText(container.logsFolder, "stdout").length).toBe(got.bytes);
  }, 60_000);

  test("of a running container begins with the next whole record", async () => {
    await using container = new ConmonContainer();
    const { end } = await run(container, "seq 1 300000; sleep 0.2; echo end");
    container.start();
    const ended = end();
    await until(() => hub.offset(container.id) > 1_000_000);
    const reader = hub.attach(container.id, { ...wanted, from: hub.offset(container.id) }, never);
    const chunks: Uint8Array[] = [];
    for (let piece = await reader.read(); piece; piece = await reader.read()) chunks.push(piece);
    await ended;
    const all = readFileOf(container);
    const text = Buffer.concat(chunks).toString();
    expect(text.length).toBeGreaterThan(3);
    expect(all.endsWith(text)).toBe(true);
  }, 60_000);

  test("may have ended before it reads, and several times in a row", async () => {
    await using container = new ConmonContainer();
    const { end } = await run(container, "echo out; echo err >&2; printf rest");
    const first = hub.attach(container.id, { ...wanted, framed: true }, never);
    const errors = hub.attach(container.id, { ...wanted, stdout: false }, never);
    container.start();
    await end();
    // The order of the two streams is conmon's.
    const bytes = Buffer.from((await first.read()) ?? []).toString("latin1");
    expect(bytes).toContain("\x02\0\0\0\0\0\0\x04err\n");
    expect(bytes.replaceAll(/[\x01\x02]\0\0\0\0\0\0./g, "").replace("err\n", "")).toBe("out\nrest");
    expect(await errors.read()).toEqual(Buffer.from("err\n"));
    expect(await errors.read()).toBeUndefined();
    expect(await errors.read()).toBeUndefined();
    expect(await hub.attach(container.id, wanted, never).read()).toBeUndefined();
  });

  test("gives its descriptors back (E11)", async () => {
    const descriptors = (): string[] =>
      Bun.spawnSync(["ls", `/proc/${process.pid}/fd`])
        .stdout.toString()
        .split("\n");
    const before = descriptors().length;
    for (let round = 0; round < 3; round++) {
      await using container = new ConmonContainer();
      const { end } = await run(container, "seq 1 1000");
      const readers = [0, 1, 2].map(() => hub.attach(container.id, wanted, never));
      container.start();
      await Promise.all([...readers.map((reader) => digestOf(reader)), end()]);
    }
    await until(() => descriptors().length <= before);
  });
});

function readFileOf(container: ConmonContainer): string {
  return loggedText(container.logsFolder, "stdout");
}

describe("the log of a container", () => {
  test("is followed from the first line to the last", async () => {
    await using container = new ConmonContainer();
    const { end } = await run(container, "seq 1 2000; sleep 0.1; seq 2001 4000", { options: { "max-size": "60k", "max-file": "50" } });
    const follow = hub.read(configOf(container), { stdout: true, stderr: true, follow: true }, never);
    const found: string[] = [];
    const following = (async () => {
      for await (const entries of follow) for (const entry of entries) found.push(Buffer.from(entry.line).toString().trim());
    })();
    container.start();
    await end();
    await following;
    expect(found).toEqual(Array.from({ length: 4000 }, (_, index) => String(index + 1)));
  });

  test("shows at once what was printed before it was asked for", async () => {
    await using container = new ConmonContainer();
    const { end } = await run(container, "echo ready; sleep 1000");
    container.start();
    await until(() => readFileSync(`${container.spoolFolder}/log`, "utf8").includes("ready"));
    const found: string[] = [];
    for await (const entries of hub.read(configOf(container), { stdout: true, stderr: true, follow: false }, never))
      found.push(...entries.map((entry) => Buffer.from(entry.line).toString()));
    expect(found).toEqual(["ready\n"]);
    container.kill();
    await end();
  });

  test("that is removed lets its followers go and leaves nothing (H2)", async () => {
    await using container = new ConmonContainer();
    await run(container, "echo one; sleep 1000");
    container.start();
    const { promise: seen, resolve } = Promise.withResolvers<void>();
    const following = (async () => {
      for await (const _ of hub.read(configOf(container), { stdout: true, stderr: true, follow: true }, never)) resolve();
    })();
    await seen;
    container.kill();
    await container.exit();
    await hub.remove(container.id, { spoolFolder: container.spoolFolder, logsFolder: container.logsFolder });
    await following;
    expect(Bun.spawnSync(["find", container.spoolFolder, container.logsFolder]).stdout.toString()).toBe("");
  });

  test("with the driver none cannot be read, but its container can be attached to", async () => {
    await using container = new ConmonContainer();
    const { end } = await run(container, "seq 1 100000", { driver: "none" });
    const reader = hub.attach(container.id, wanted, never);
    container.start();
    const ended = end();
    expect(await digestOf(reader)).toEqual(sequence(100_000));
    await ended;
    const read = (): unknown => hub.read(configOf(container, { driver: "none" }), { stdout: true, stderr: true, follow: false }, never);
    expect(read).toThrow(
      expect.objectContaining({ kind: "not_implemented", message: "configured logging driver does not support reading" }),
    );
  });
});
