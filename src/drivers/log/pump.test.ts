import { beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { defaultLimits as productLimits } from "./protocol.ts";
import { Pump, pumpBuffers, type PumpListener } from "./pump.ts";
import { record, recordsOf, temporaryFolder } from "./sample-spool.ts";
import { parseLocalEntry } from "./local/record.ts";
import { writeSentCursor } from "./forward/sent-cursor.ts";
import { SharedOffsets } from "./shared-offsets.ts";
import type { LogConfig } from "./types.ts";

const buffers = pumpBuffers();
const defaultLimits = { ...productLimits, pinFromBytes: 0 };
const nobody: PumpListener = { segment() {}, progress() {}, pressure() {} };

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function config(change: Partial<LogConfig> = {}): LogConfig {
  return {
    containerId: "c",
    spoolFolder: `${folder}/spool`,
    logsFolder: `${folder}/logs`,
    driver: "json-file",
    options: {},
    attributes: {},
    tty: false,
    ...change,
  };
}

function open(change: Partial<LogConfig> = {}, listener = nobody, limits = defaultLimits, shared = new SharedOffsets()): Pump {
  return new Pump(config(change), limits, shared, buffers, listener);
}

const print = (records: Buffer): void => appendFileSync(`${folder}/spool/log`, records);

/** As conmon does at --log-size-max. */
function rotateSpool(): void {
  writeFileSync(`${folder}/spool/log.tmp`, "");
  renameSync(`${folder}/spool/log.tmp`, `${folder}/spool/log`);
}

function drain(pump: Pump, now = 0): void {
  while (pump.step(now) === "more");
}

function finish(pump: Pump): number | undefined {
  pump.expectEnd(0);
  drain(pump);
  return pump.finish(0);
}

/** The log's text, from all its files. */
function logged(): string {
  const files = readdirSync(`${folder}/logs`).filter((name) => name.startsWith("c-json.log"));
  const age = (name: string): number => Number(name.split("log.")[1] ?? 0);
  return files
    .sort((a, b) => age(b) - age(a))
    .flatMap((name) => readFileSync(`${folder}/logs/${name}`, "utf8").split("\n").filter(Boolean))
    .map((line) => (JSON.parse(line) as { log: string }).log)
    .join("");
}

/** The text of a log of the driver local, from all its files, none of which is compressed. */
function loggedLocally(): string {
  const local = `${folder}/logs/local-logs`;
  return readdirSync(local)
    .sort()
    .flatMap((name) => readFileSync(`${local}/${name}`, "latin1").split("\n").filter(Boolean))
    .map((line) => parseLocalEntry(Buffer.from(line, "latin1"))?.line.toString() ?? `damaged: ${line}`)
    .join("");
}

describe("Pump", () => {
  test("carries output into the json-file and removes the spool at the end", () => {
    const pump = open();
    print(Buffer.concat([record("one"), record("two"), record("rest", "P")]));
    const end = statSync(`${folder}/spool/log`).size;
    expect(finish(pump)).toBe(end);
    expect(logged()).toBe("one\ntwo\nrest");
    expect(readdirSync(`${folder}/spool`)).toEqual([]);
  });

  test("a container started again goes on in the same file", () => {
    for (const text of ["first", "second"]) {
      const pump = open();
      print(record(text));
      finish(pump);
      pump.release();
    }
    expect(logged()).toBe("first\nsecond\n");
  });

  test.each([
    ["json-file", "max-size", "max-file", {}, () => logged()],
    ["local", "max-size", "max-file", { compress: "false" }, () => loggedLocally()],
    ["syslog", "cache-max-size", "cache-max-file", { "cache-compress": "false" }, () => loggedLocally()],
  ] as const)(
    "a daemon that goes on elsewhere in the output leaves no hole and no duplicate: %s",
    (driver, sizeOption, fileOption, more, text) => {
      const piece = fc.record({
        bytes: fc.string({ unit: fc.constantFrom("a", "b", "\n"), minLength: 1, maxLength: 400 }),
        // What happens behind the piece: nothing, a step, a killed daemon, conmon's rotation.
        event: fc.constantFrom("none", "step", "kill", "kill", "rotate"),
      });
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 40 }), fc.integer({ min: 200, max: 3000 }), (pieces, maxSize) => {
          folder = temporaryFolder();
          const options = { ...more, [sizeOption]: String(maxSize), [fileOption]: "1000" };
          let pump = open({ driver, options });
          pieces.forEach(({ bytes, event }, index) => {
            print(recordsOf(Buffer.from(bytes), "stdout", index));
            if (event === "step") pump.step(0);
            if (event === "kill") pump = open({ driver, options });
            if (event === "rotate") {
              pump.step(0);
              rotateSpool();
              pump.step(0);
            }
          });
          finish(pump);
          expect(text()).toBe(pieces.map(({ bytes }) => bytes).join(""));
        }),
        { numRuns: 60 },
      );
    },
  );

  test("output that was written but not remembered is not written again", () => {
    const pump = open();
    print(record("zero"));
    drain(pump);
    print(Buffer.concat([record("one"), record("two")]));
    const before = readFileSync(`${folder}/logs/cursor`);
    pump.step(0);
    // As if the process had died between the write and the cursor.
    writeFileSync(`${folder}/logs/cursor`, before);
    print(record("three"));
    finish(open());
    expect(logged()).toBe("zero\none\ntwo\nthree\n");
  });

  test("more than one step may be forgotten", () => {
    const pump = open({ options: { "max-size": "1000", "max-file": "100" } });
    print(record("zero"));
    drain(pump);
    const before = readFileSync(`${folder}/logs/cursor`);
    print(record("one"));
    pump.step(0);
    print(record("two"));
    pump.step(0);
    writeFileSync(`${folder}/logs/cursor`, before);
    finish(open({ options: { "max-size": "1000", "max-file": "100" } }));
    expect(logged()).toBe("zero\none\ntwo\n");
  });

  test("a last line torn by a power loss is closed, and hides nothing (F13)", () => {
    const pump = open();
    print(record("one"));
    finish(pump);
    appendFileSync(`${folder}/logs/c-json.log`, '{"log":"to');
    const cut = readFileSync(`${folder}/logs/c-json.log`);
    writeFileSync(`${folder}/logs/cursor`, "");
    const next = open();
    print(record("two"));
    finish(next);
    expect(readFileSync(`${folder}/logs/c-json.log`, "utf8").slice(cut.length)).toStartWith('\n{"log":"two');
  });

  test("segments that were lost while nobody looked are told in one line", () => {
    open().step(0);
    for (const text of ["one", "two", "lost", "four"]) {
      print(record(text));
      rotateSpool();
    }
    print(record("five"));
    finish(open());
    const text = logged();
    expect(text).toStartWith("one\ntwo\n");
    expect(text.match(/may be missing here/g)).toHaveLength(1);
    expect(text).toEndWith("five\n");
  });

  test("space behind converter and readers is given back", () => {
    const limits = { ...defaultLimits, freeStepBytes: 64 << 10 };
    const shared = new SharedOffsets();
    const pump = open({}, nobody, limits, shared);
    const lines = Buffer.concat(Array.from({ length: 20000 }, (_, index) => record(`line ${index}`)));
    shared.retain(lines.length / 2);
    print(lines);
    drain(pump);
    expect(shared.freed).toBe(lines.length / 2);
    const half = statSync(`${folder}/spool/log`).blocks * 512;
    shared.retain(undefined);
    pump.free();
    expect(shared.freed).toBe(lines.length);
    expect(statSync(`${folder}/spool/log`).blocks * 512).toBeLessThan(half);
  });

  test("a converter far behind asks for the container to wait, until it has caught up", () => {
    const pressure: [string, boolean][] = [];
    const listener = { ...nobody, pressure: (reason: string, on: boolean) => pressure.push([reason, on]) };
    const pump = open({}, listener, { ...defaultLimits, lagBytes: 300 << 10 });
    print(Buffer.concat(Array.from({ length: 20000 }, (_, index) => record(`line ${index}`))));
    drain(pump);
    expect(pressure).toEqual([
      ["converter", true],
      ["converter", false],
    ]);
  });

  test("a server far behind asks for the container to wait, for a while, and then the oldest is lost (LOG-18)", () => {
    const pressure: [string, boolean][] = [];
    const listener = { ...nobody, pressure: (reason: string, on: boolean) => pressure.push([reason, on]) };
    const options = { "cache-max-size": "10k", "cache-max-file": "2", "cache-compress": "false" };
    const limits = { ...defaultLimits, unsentBytes: 50_000, diskFullWaitMilliseconds: 1000 };
    const pump = open({ driver: "fluentd", options }, listener, limits);
    const sent = (sequence: number): void => writeSentCursor(`${folder}/logs`, { sequence, offset: 0, records: 1, open: {} });
    const printFile = (): void => print(Buffer.concat(Array.from({ length: 600 }, (_, index) => record(`line ${index}`))));
    sent(1);
    for (let now = 0; now < 1000; now += 200) {
      printFile();
      drain(pump, now);
    }
    expect(pressure).toEqual([["server", true]]);
    printFile();
    drain(pump, 2000);
    expect(pressure.at(-1)).toEqual(["server", false]);
    const files = readdirSync(`${folder}/logs/local-logs`).sort();
    expect(files.length).toBe(5);
    sent(Number(files.at(-1)?.split(".")[0]));
    drain(pump, 2500);
    sent(1);
    for (let now = 3000; now < 5000; now += 200) printFile();
    drain(pump, 5000);
    printFile();
    drain(pump, 5200);
    expect(pressure.at(-1)).toEqual(["server", true]);
    finish(pump);
    expect(pressure.at(-1)).toEqual(["server", false]);
  });

  test("in the mode non-blocking it leaves out the backlog and tells so", () => {
    const options = { mode: "non-blocking" };
    const pump = open({ options }, nobody, { ...defaultLimits, lagBytes: 300 << 10 });
    print(Buffer.concat(Array.from({ length: 20000 }, (_, index) => record(`line ${index}`))));
    finish(pump);
    const [mark, ...lines] = logged().split("\n");
    expect(mark).toMatch(/^\d+ bytes of log lost: the container writes faster than the log$/);
    expect(lines.filter(Boolean).length).toBeLessThan(20000);
    expect(lines.every((line) => line === "" || /^line \d+$/.test(line))).toBe(true);
    expect(lines.at(-2)).toBe("line 19999");
  });

  test("a container that prints nothing has an empty log, and nothing else", () => {
    finish(open({}, nobody, productLimits));
    expect(readdirSync(`${folder}/logs`)).toEqual(["c-json.log"]);
    expect(readdirSync(`${folder}/spool`)).toEqual([]);
  });

  test("the driver none writes nothing", () => {
    const pump = open({ driver: "none", options: { foo: "bar" } });
    print(record("one"));
    expect(finish(pump)).toBe(record("one").length);
    expect(existsSync(`${folder}/logs/c-json.log`)).toBe(false);
  });

  test("a torn record at the end of the spool does not keep the container from ending", () => {
    const pump = open();
    print(Buffer.concat([record("one"), record("torn").subarray(0, 47)]));
    expect(finish(pump)).toBeDefined();
    expect(logged()).toBe("one\n");
  });

  test("a spool full of zeros, as after a power loss, is passed over (F13)", () => {
    const pump = open();
    print(Buffer.concat([Buffer.alloc(600 << 10), Buffer.from("\n"), record("after")]));
    finish(pump);
    expect(logged()).toBe("after\n");
  });
});
