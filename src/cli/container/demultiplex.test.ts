import { expect, test } from "bun:test";
import { memoryOutput } from "../output.ts";
import { demultiplex } from "./demultiplex.ts";

function frame(stream: number, text: string): Uint8Array {
  const body = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + body.byteLength);
  bytes[0] = stream;
  new DataView(bytes.buffer).setUint32(4, body.byteLength);
  bytes.set(body, 8);
  return bytes;
}

async function* cutInto(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function run(frames: readonly Uint8Array[], size: number) {
  const [out, err] = [memoryOutput(), memoryOutput()];
  await demultiplex(cutInto(Buffer.concat(frames), size), out, err);
  return { out: out.text, err: err.text };
}

test.each([1, 3, 8, 11, 1000])("frames cut into pieces of %p bytes come out whole", async (size) => {
  const frames = [frame(1, "out 1\n"), frame(2, "err ä\n"), frame(1, ""), frame(1, "out 2\n")];
  expect(await run(frames, size)).toEqual({ out: "out 1\nout 2\n", err: "err ä\n" });
});

test("an error that the daemon puts into the stream is thrown", async () => {
  expect(run([frame(1, "a"), frame(3, "disk is gone")], 5)).rejects.toThrow("error from daemon in stream: disk is gone");
});

test("what is no such stream is refused", async () => {
  expect(run([new TextEncoder().encode("hello, this is no frame")], 100)).rejects.toThrow("Unrecognized input header: 104");
});
