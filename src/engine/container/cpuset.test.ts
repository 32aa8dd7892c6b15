import { expect, test } from "bun:test";
import { validateCpuset } from "./cpuset.ts";

test.each(["", "0", "0-3", "0,2-3", "6", "1,1"])("%p lies within 0-3,6", (text) => {
  expect(() => validateCpuset("cpus", text, "0-3,6")).not.toThrow();
});

test.each([
  ["a-b", "Invalid value a-b for cpuset cpus: invalid format: a-b"],
  ["3-1", "Invalid value 3-1 for cpuset cpus: invalid format: 3-1"],
  ["0,,1", "Invalid value 0,,1 for cpuset cpus: invalid format: 0,,1"],
  ["0-9000", "Invalid value 0-9000 for cpuset cpus: value of out range, maximum is 8192"],
  ["0-999", "Requested CPUs are not available - requested 0-999, available: 0-3,6"],
  ["3-6", "Requested CPUs are not available - requested 3-6, available: 0-3,6"],
])("%p is refused", (text, message) => {
  expect(() => validateCpuset("cpus", text, "0-3,6")).toThrow(message);
});

test("memory nodes are named as such", () => {
  expect(() => validateCpuset("mems", "1", "0")).toThrow("Requested memory nodes are not available - requested 1, available: 0");
});

test("where the host tells nothing only the form is checked", () => {
  expect(() => validateCpuset("cpus", "5", "")).not.toThrow();
});
