import { expect, test } from "bun:test";
import { jsonMessages } from "./json-messages.ts";

async function* pieces(text: string, size: number): AsyncGenerator<Uint8Array, void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

const collect = async (text: string, size = 1000): Promise<unknown[]> => Array.fromAsync(jsonMessages(pieces(text, size)));

test.each([1, 2, 7, 1000])("objects with and without line ends between, in pieces of %p bytes", async (size) => {
  expect(await collect('{"a":"ä}"}{"b":[1,{"c":"\\""}]}\r\n\n{"d":null}', size)).toEqual([
    { a: "ä}" },
    { b: [1, { c: '"' }] },
    { d: null },
  ]);
});

test("what is no JSON, or ends in the middle, is refused", async () => {
  expect(collect('{"a":1}<html>')).rejects.toThrow("the daemon sent no JSON: <html>");
  expect(collect('{"a":')).rejects.toThrow("the daemon sent no JSON");
});

test("a message that never ends is refused before it fills the memory", async () => {
  async function* endless(): AsyncGenerator<Uint8Array, void> {
    const piece = new TextEncoder().encode(`"${"x".repeat(1 << 20)}",`);
    yield new TextEncoder().encode("[");
    for (;;) yield piece;
  }
  expect(Array.fromAsync(jsonMessages(endless()))).rejects.toThrow("a message of the daemon is too large");
});
