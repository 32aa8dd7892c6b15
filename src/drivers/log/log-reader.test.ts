import { describe, expect, test } from "bun:test";
import { appendFileSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JsonLogFiles } from "./json-log-files.ts";
import { readLog, type FollowedRun, type LogRead } from "./log-reader.ts";
import { News } from "./news.ts";
import { temporaryFolder } from "./sample-spool.ts";
import type { LogEntry, LogQuery } from "./types.ts";

const base = 1_700_000_000;
const second = 1_000_000_000n;
const everything: LogQuery = { stdout: true, stderr: true, follow: false };

function line(number: number, stream = number % 3 === 0 ? "stderr" : "stdout"): string {
  return `{"log":"line ${number}\\n","stream":"${stream}","time":"${new Date((base + number) * 1000).toISOString()}"}\n`;
}

function lines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => line(from + index)).join("");
}

function logWith(...files: string[]): string {
  const path = join(temporaryFolder(), "x-json.log");
  // Oldest first, as they are read.
  files.forEach((text, index) => writeFileSync(path + (index === files.length - 1 ? "" : `.${files.length - 1 - index}`), text));
  return path;
}

const numberOf = (entry: LogEntry): number => Number(Buffer.from(entry.line).toString().split(" ")[1]);

async function numbers(path: string, query: Partial<LogQuery> = {}, extra: Partial<LogRead> = {}): Promise<number[]> {
  const found: number[] = [];
  const options = {
    files: new JsonLogFiles(path),
    query: { ...everything, ...query },
    signal: new AbortController().signal,
    run: undefined,
    flush: async () => {},
    ...extra,
  };
  for await (const entries of readLog(options)) for (const entry of entries) found.push(numberOf(entry));
  return found;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);

class FakeRun implements FollowedRun {
  readonly logNews = new News();
  end: number | undefined;
  followers = 0;
  addFollower(): void {
    this.followers++;
  }
  removeFollower(): void {
    this.followers--;
  }
  finish(): void {
    this.end = 0;
    this.logNews.ring();
  }
}

describe("readLog", () => {
  test("reads all files, oldest first", async () => {
    expect(await numbers(logWith(lines(0, 5), lines(5, 9), lines(9, 12)))).toEqual(range(0, 12));
  });

  test("reads files larger than its blocks", async () => {
    expect(await numbers(logWith(lines(0, 9000), lines(9000, 12000)))).toEqual(range(0, 12000));
  });

  test("a container that never ran has no entries", async () => {
    expect(await numbers(join(temporaryFolder(), "none"))).toEqual([]);
  });

  test.each([0, 1, 3, 4, 5, 8, 9, 12, 100])("tail %p begins so many lines before the end, over several files", async (tail) => {
    const path = logWith(lines(0, 4), lines(4, 9), lines(9, 12));
    expect(await numbers(path, { tail })).toEqual(range(Math.max(0, 12 - tail), 12));
  });

  test("tail reads backwards over block borders", async () => {
    expect(await numbers(logWith(lines(0, 20000)), { tail: 5000 })).toEqual(range(15000, 20000));
  });

  test("tail counts lines of both streams before streams and times are looked at, as Docker", async () => {
    const path = logWith(lines(0, 12));
    expect(await numbers(path, { tail: 4, stderr: false })).toEqual([8, 10, 11]);
    expect(await numbers(path, { tail: 4, sinceNano: BigInt(base + 10) * second })).toEqual([10, 11]);
  });

  test("since and until take what is at their moment", async () => {
    const query = { sinceNano: BigInt(base + 3) * second, untilNano: BigInt(base + 6) * second };
    expect(await numbers(logWith(lines(0, 4), lines(4, 12)), query)).toEqual([3, 4, 5, 6]);
  });

  test("since leaves out files that are older as a whole", async () => {
    const path = logWith("not even looked at\n", lines(4, 8));
    utimesSync(`${path}.1`, base, base);
    expect(await numbers(path, { sinceNano: BigInt(base + 5) * second })).toEqual([5, 6, 7]);
  });

  test("a damaged record hides only itself (H3)", async () => {
    const huge = "\0".repeat(3 << 20);
    const path = logWith(`${line(0)}{"log":"torn${line(1)}rubbish\n${line(2)}${huge}${line(3)}${line(4)}`);
    expect(await numbers(path)).toEqual([0, 1, 2, 3, 4]);
  });

  test("a line that is being written is left to those who follow", async () => {
    expect(await numbers(logWith(lines(0, 3) + line(3).slice(0, 20)))).toEqual([0, 1, 2]);
  });

  test("waits for what was printed before", async () => {
    const path = logWith(lines(0, 2));
    expect(await numbers(path, {}, { flush: async () => appendFileSync(path, line(2)) })).toEqual([0, 1, 2]);
  });

  test("ends when the reader has gone", async () => {
    const controller = new AbortController();
    const path = logWith(lines(0, 50_000));
    const found: number[] = [];
    const options = { files: new JsonLogFiles(path), query: everything, signal: controller.signal, run: undefined, flush: async () => {} };
    for await (const entries of readLog(options)) {
      found.push(...entries.map(numberOf));
      controller.abort();
    }
    expect(found.length).toBeLessThan(50_000);
  });
});

describe("following", () => {
  /** Calls `print` with the count of entries seen, after each. */
  async function follow(path: string, run: FakeRun, onEntry: (count: number) => void, query: Partial<LogQuery> = {}): Promise<number[]> {
    const found: number[] = [];
    const options = {
      files: new JsonLogFiles(path),
      query: { ...everything, follow: true, ...query },
      signal: new AbortController().signal,
      run,
      flush: async () => {},
    };
    for await (const entries of readLog(options)) {
      for (const entry of entries) {
        found.push(numberOf(entry));
        onEntry(found.length);
      }
    }
    return found;
  }

  test("gives what comes later, without a poll, until the run ends", async () => {
    const path = logWith(lines(0, 2));
    const run = new FakeRun();
    const found = await follow(path, run, (count) => {
      if (count === 2) {
        setTimeout(() => {
          appendFileSync(path, lines(2, 5));
          run.logNews.ring();
        });
      }
      if (count === 5) setTimeout(() => run.finish());
    });
    expect(found).toEqual([0, 1, 2, 3, 4]);
    expect(run.followers).toBe(0);
  });

  test("an entry that arrives while the old ones are read is given once", async () => {
    const path = logWith(lines(0, 3));
    const run = new FakeRun();
    const found = await follow(path, run, (count) => {
      if (count === 1) {
        appendFileSync(path, lines(3, 4));
        run.finish();
      }
    });
    expect(found).toEqual([0, 1, 2, 3]);
  });

  test("goes through rotations without a hole or a duplicate (H2)", async () => {
    const path = logWith(lines(0, 2));
    const run = new FakeRun();
    const rotate = (text: string): void => {
      renameSync(`${path}.1`, `${path}.2`);
      renameSync(path, `${path}.1`);
      writeFileSync(path, text);
      run.logNews.ring();
    };
    writeFileSync(`${path}.1`, "");
    const found = await follow(path, run, (count) => {
      if (count !== 2) return;
      setTimeout(() => {
        appendFileSync(path, lines(2, 4));
        rotate(lines(4, 6));
        rotate(lines(6, 8));
        run.finish();
      });
    });
    expect(found).toEqual(range(0, 8));
  });

  test("tail 0 gives only what is new", async () => {
    const path = logWith(lines(0, 5));
    const run = new FakeRun();
    setTimeout(() => {
      appendFileSync(path, lines(5, 7));
      run.finish();
    }, 5);
    expect(await follow(path, run, () => {}, { tail: 0 })).toEqual([5, 6]);
  });

  test("waits for the first file of a container that has not printed", async () => {
    const path = join(temporaryFolder(), "x-json.log");
    const run = new FakeRun();
    setTimeout(() => {
      writeFileSync(path, lines(0, 2));
      run.logNews.ring();
      run.finish();
    }, 5);
    expect(await follow(path, run, () => {})).toEqual([0, 1]);
  });

  test("ends when the clock has passed until", async () => {
    const path = logWith(lines(0, 2));
    const untilNano = BigInt(Date.now() + 5) * 1_000_000n;
    expect(await follow(path, new FakeRun(), () => {}, { untilNano })).toEqual([0, 1]);
  });

  test("of a container that does not run ends at once", async () => {
    expect(await numbers(logWith(lines(0, 2)), { follow: true })).toEqual([0, 1]);
  });
});
