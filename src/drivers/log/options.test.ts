import { describe, expect, test } from "bun:test";
import { defaultLogOptions, jsonFileLimits, logPath, validateLogOptions } from "./options.ts";

describe("validateLogOptions", () => {
  test.each([
    [{}],
    [defaultLogOptions],
    [{ "max-file": "3" }],
    [{ "max-size": "1m", "max-file": "+2" }],
    [{ labels: "a", "labels-regex": "^b", env: "c", "env-regex": "d", tag: "{{.Name}}" }],
    [{ mode: "non-blocking", "max-buffer-size": "4m" }],
    [{ mode: "blocking" }],
    [{ compress: "false", "cache-disabled": "true" }],
  ])("accepts %p", (options) => {
    expect(() => validateLogOptions("json-file", options)).not.toThrow();
  });

  const starting = "failed to initialize logging driver: ";
  test.each([
    [{ foo: "bar", "max-size": "zz" }, "unknown log opt 'foo' for json-file log driver"],
    [{ "max-size": "zz" }, `${starting}invalid size: 'zz'`],
    [{ "max-size": "0" }, `${starting}max-size must be a positive number`],
    [{ "max-size": "99999999p" }, `${starting}max-size must be a positive number`],
    [{ "max-file": "0" }, `${starting}max-file cannot be less than 1`],
    [{ "max-file": "x" }, `${starting}strconv.Atoi: parsing "x": invalid syntax`],
    [{ "max-file": "99999999999999999999" }, `${starting}strconv.Atoi: parsing "99999999999999999999": value out of range`],
    [{ compress: "xx" }, `${starting}strconv.ParseBool: parsing "xx": invalid syntax`],
    [{ compress: "true" }, `${starting}compress cannot be true when max-file is less than 2 or max-size is not set`],
    [{ mode: "foo" }, "logger: logging mode not supported: foo"],
    [{ "max-buffer-size": "1m" }, "logger: max-buffer-size option is only supported with 'mode=non-blocking'"],
    [{ mode: "non-blocking", "max-buffer-size": "zz" }, "error parsing option max-buffer-size: invalid size: 'zz'"],
    [{ "cache-disabled": "x" }, "invalid value for option cache-disabled: x"],
  ])("refuses %p with Docker's text", (options, message) => {
    expect(() => validateLogOptions("json-file", options)).toThrow(expect.objectContaining({ kind: "invalid", message }));
  });

  test("says that compressed logs are not there", () => {
    const options = { compress: "true", "max-size": "1m", "max-file": "2" };
    expect(() => validateLogOptions("json-file", options)).toThrow(expect.objectContaining({ kind: "not_implemented" }));
  });

  test("knows no driver that it does not carry out", () => {
    expect(() => validateLogOptions("blah", {})).toThrow('error looking up logging plugin blah: plugin "blah" not found');
  });

  test("looks at no option of the driver none, as Docker", () => {
    expect(() => validateLogOptions("none", { foo: "bar" })).not.toThrow();
  });
});

test("jsonFileLimits() reads sizes in powers of 1000, and none as never", () => {
  expect(jsonFileLimits({ "max-size": "20m", "max-file": "5" })).toMatchObject({ maxSizeBytes: 20_000_000, maxFiles: 5 });
  expect(jsonFileLimits({})).toMatchObject({ maxSizeBytes: Infinity, maxFiles: 1, nonBlocking: false });
});

test("logPath() names the file after the container", () => {
  expect(logPath("/data/logs", "abc")).toBe("/data/logs/abc-json.log");
});
