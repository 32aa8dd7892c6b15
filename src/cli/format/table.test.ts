import { expect, test } from "bun:test";
import { memoryOutput } from "../output.ts";
import { printRows, renderRows } from "./rows.ts";
import { layOut } from "./table.ts";
import { Row } from "./values.ts";

test("layOut() makes columns at least ten wide with three spaces between, and nothing after the last", () => {
  expect(layOut(["REPOSITORY\tTAG\tSIZE", "a-longer-repository\tx\t1MB"])).toBe(
    "REPOSITORY            TAG       SIZE\na-longer-repository   x         1MB\n",
  );
});

test("layOut() ends a column at the line that lacks it", () => {
  expect(layOut(["a\tb\tc", "only one cell", "a-very-long-cell\tb"])).toBe("a         b         c\nonly one cell\na-very-long-cell   b\n");
});

test("layOut() counts letters and not bytes", () => {
  expect(layOut(["äöüäöüäöüä\tx", "aaaaaaaaaa\tx"])).toBe("äöüäöüäöüä   x\naaaaaaaaaa   x\n");
});

const rows = [new Row("T", { ID: () => "1", Name: () => "one" })];
const options = { defaultTable: "{{.ID}}\\t{{.Name}}", headers: { ID: "THE ID", Name: "NAMES" } };

test("printRows() knows table, table TEMPLATE, json and templates", async () => {
  const out = memoryOutput();
  for (const format of ["table", "table {{upper .Name}}\\t{{.ID}}", "json", "{{.ID}}-{{.Name}}"])
    await printRows(rows, { ...options, format }, out);
  expect(out.text).toBe('THE ID    NAMES\n1         one\nNAMES     THE ID\nONE       1\n{"ID":"1","Name":"one"}\n1-one\n');
});

test("renderRows() tells a bad template from one that fails", () => {
  expect(() => renderRows(rows, { ...options, format: "{{.X" })).toThrow("failed to parse template: template: :1: unclosed action");
  expect(() => renderRows(rows, { ...options, format: "{{.X}}" })).toThrow("failed to execute template: template: :1:2");
});
