import { describe, expect, test } from "bun:test";
import type { ExecOutput, PipedExec } from "#drivers/runtime/types.ts";
import { deferred } from "#lib/async.ts";
import { captureExec } from "./capture.ts";

/** An exec whose streams give `chunks` and then end, or stay open. */
function fakeExec(options: { readonly out?: readonly string[]; readonly err?: readonly string[]; readonly staysOpen?: boolean }) {
  const exit = deferred<number>();
  let killed = 0;
  const output = (chunks: readonly string[] = []): ExecOutput => {
    const left = [...chunks];
    const closed = deferred<undefined>();
    return {
      read: async () => {
        const next = left.shift();
        if (next !== undefined) return Buffer.from(next);
        return options.staysOpen ? closed.promise : undefined;
      },
      drain: () => undefined,
      close: async () => closed.resolve(undefined),
    };
  };
  const running: PipedExec = {
    pid: Promise.resolve(1),
    stdout: output(options.out),
    stderr: output(options.err),
    stdin: undefined,
    exit: exit.promise,
    kill: () => {
      killed++;
      exit.resolve(137);
    },
  };
  return { running, exit, kills: () => killed };
}

const never = new AbortController().signal;
const limits = { timeoutMilliseconds: 60_000, outputBytes: 8 };

describe("captureExec()", () => {
  test("gives exit code and output of both streams", async () => {
    const { running, exit } = fakeExec({ out: ["ab"], err: ["cd"] });
    exit.resolve(3);
    expect(await captureExec(running, limits, never)).toEqual({ exitCode: 3, output: "abcd", timedOut: false });
  });

  test("H6: cuts the output, and reads on", async () => {
    const { running, exit } = fakeExec({ out: ["123456", "7890", "more"] });
    exit.resolve(0);
    expect((await captureExec(running, limits, never)).output).toBe("12345678...");
  });

  test("output of exactly the limit is whole", async () => {
    const { running, exit } = fakeExec({ out: ["12345678"] });
    exit.resolve(0);
    expect((await captureExec(running, limits, never)).output).toBe("12345678");
  });

  test("H6: kills what hangs", async () => {
    const { running, kills } = fakeExec({ out: ["x"] });
    expect(await captureExec(running, { ...limits, timeoutMilliseconds: 5 }, never)).toEqual({
      exitCode: 137,
      output: "x",
      timedOut: true,
    });
    expect(kills()).toBe(1);
  });

  test("does not wait for a child in the background that holds the pipes", async () => {
    const { running, exit } = fakeExec({ out: ["x"], staysOpen: true });
    exit.resolve(0);
    expect((await captureExec(running, limits, never)).output).toBe("x");
  });

  test("an abort kills without being a timeout", async () => {
    const { running } = fakeExec({});
    const leaving = new AbortController();
    const done = captureExec(running, limits, leaving.signal);
    leaving.abort();
    expect(await done).toEqual({ exitCode: 137, output: "", timedOut: false });
  });

  test("what could not be run is told", async () => {
    const { running, exit } = fakeExec({});
    exit.reject(new Error("no such program"));
    expect(captureExec(running, limits, never)).rejects.toThrow("no such program");
  });
});
