import { expect, test } from "bun:test";
import type { ProgressMessage } from "#client/shapes.ts";
import { memoryOutput } from "./output.ts";
import { printProgress } from "./progress.ts";

async function* stream(messages: readonly ProgressMessage[]): AsyncGenerator<ProgressMessage, void> {
  yield* messages;
}

const pull: readonly ProgressMessage[] = [
  { status: "Pulling from library/busybox", id: "latest" },
  { status: "Downloading", id: "abc", progressDetail: { current: 10, total: 20 } },
  { status: "Pull complete", id: "abc", progressDetail: {} },
  { status: "Status: Downloaded newer image for busybox:latest" },
];

async function show(messages: readonly ProgressMessage[], options: { isQuiet?: boolean; isTerminal?: boolean } = {}): Promise<string> {
  const to = memoryOutput();
  await printProgress(stream(messages), { to, isQuiet: options.isQuiet ?? false, isTerminal: async () => options.isTerminal ?? false });
  return to.text;
}

test("without a terminal each step is a line, and nothing moves", async () => {
  expect(await show(pull)).toBe(
    "latest: Pulling from library/busybox\nabc: Pull complete\nStatus: Downloaded newer image for busybox:latest\n",
  );
});

test("on a terminal a layer's line is written again in its place", async () => {
  const text = await show(pull, { isTerminal: true });
  expect(text).toContain("\u001b[1A\u001b[2K\rabc: Pull complete \r\u001b[1B");
});

test("a status cannot steer the terminal", async () => {
  expect(await show([{ status: "a\u001b[2Jb\u0007" }], { isTerminal: true })).toBe("a[2Jb\n");
});

test("quietly nothing is printed, and the error in the stream is thrown all the same", async () => {
  expect(await show(pull, { isQuiet: true })).toBe("");
  expect(show([{ errorDetail: { message: "manifest unknown" }, error: "manifest unknown" }], { isQuiet: true })).rejects.toThrow(
    "manifest unknown",
  );
});
