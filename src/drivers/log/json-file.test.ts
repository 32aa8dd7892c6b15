import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JsonFile } from "./json-file.ts";
import { temporaryFolder } from "./sample-spool.ts";

const always = (): boolean => true;
const lines = (from: number, to: number): Buffer =>
  Buffer.from(Array.from({ length: to - from }, (_, index) => `line ${from + index}\n`).join(""));

function open(maxSizeBytes: number, maxFiles: number): { readonly file: JsonFile; readonly path: string } {
  const path = join(temporaryFolder(), "x-json.log");
  return { file: new JsonFile(path, { maxSizeBytes, maxFiles }), path };
}

describe("JsonFile", () => {
  test("rotates before the line at which the file has its size, as Docker (H2)", () => {
    const { file, path } = open(14, 3);
    const output = lines(0, 6);
    expect(file.write(output, 0, output.length, always)).toBe(output.length);
    expect([".2", ".1", ""].map((end) => readFileSync(path + end, "utf8"))).toEqual([
      "line 0\nline 1\n",
      "line 2\nline 3\n",
      "line 4\nline 5\n",
    ]);
  });

  test("keeps no more files than it may (H2)", () => {
    const { file, path } = open(7, 3);
    const output = lines(0, 9);
    file.write(output, 0, output.length, always);
    expect(readdirSync(join(path, "..")).sort()).toEqual(["x-json.log", "x-json.log.1", "x-json.log.2"]);
    expect(readFileSync(path, "utf8")).toBe("line 8\n");
  });

  test("with one file begins anew", () => {
    const { file, path } = open(7, 1);
    const output = lines(0, 3);
    file.write(output, 0, output.length, always);
    expect(readdirSync(join(path, ".."))).toEqual(["x-json.log"]);
    expect(readFileSync(path, "utf8")).toBe("line 2\n");
  });

  test("never rotates in the middle of a line", () => {
    const { file, path } = open(3, 2);
    const output = lines(0, 1);
    file.write(output, 0, 4, always);
    file.write(output, 4, output.length, always);
    expect(readFileSync(path, "utf8")).toBe("line 0\n");
  });

  test("goes on in the old file when rotation is not wanted now", () => {
    const { file, path } = open(7, 2);
    const output = lines(0, 3);
    file.write(output, 0, output.length, () => false);
    expect(readFileSync(path, "utf8")).toBe("line 0\nline 1\nline 2\n");
  });

  test("a rotation cut short between its renames is ended when the file is opened", () => {
    const { path } = open(7, 2);
    writeFileSync(path, "old\n");
    writeFileSync(`${path}.next`, "");
    renameSync(path, `${path}.1`);
    const file = new JsonFile(path, { maxSizeBytes: 7, maxFiles: 2 });
    expect(existsSync(`${path}.next`)).toBe(false);
    expect(file.position.size).toBe(0);
    expect(readFileSync(`${path}.1`, "utf8")).toBe("old\n");
  });

  test("goes on after somebody has removed the files by hand", () => {
    const { file, path } = open(7, 3);
    const output = lines(0, 4);
    file.write(output, 0, 7, always);
    renameSync(path, `${path}.gone`);
    expect(file.write(output, 7, output.length, always)).toBe(output.length);
    expect(readFileSync(path, "utf8")).toBe("line 3\n");
  });

  test("sees a last line without an end", () => {
    const { file, path } = open(100, 1);
    expect(file.endsWithLine).toBe(true);
    writeFileSync(path, "torn");
    expect(file.endsWithLine).toBe(false);
  });
});
