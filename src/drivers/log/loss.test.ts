import { expect, test } from "bun:test";
import { lineFormat } from "./json-line.ts";

const format = lineFormat({ stream: "stdout", q: '"' });
const line = `{"log":"é\\ufffd\\n","stream":"stderr","attrs":{"q":"\\"","stream":"stdout"},"time":"T"}\n`;
const output = Buffer.from(`first\n${line}third\n`);

test("a line cut anywhere is ended so that it can be read", () => {
  const start = output.indexOf(line);
  const end = start + Buffer.byteLength(line);
  for (let cut = start + 1; cut < end; cut++) {
    const ended = Buffer.concat([output.subarray(0, cut), lineFormat({ q: '"', stream: "stdout" }).restOfLine(output, cut, output.length)]);
    const text = ended.toString();
    expect(JSON.parse(text.split("\n")[1] ?? "")).toMatchObject({ stream: "stderr", time: "T" });
    expect(text).not.toContain("third");
  }
});

test("a cut between lines needs nothing", () => {
  expect(format.restOfLine(output, 6, output.length)).toHaveLength(0);
  expect(format.restOfLine(output, 0, output.length)).toHaveLength(0);
});
