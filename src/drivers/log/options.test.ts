import { describe, expect, test } from "bun:test";
import { defaultLogOptions, validateLogOptions } from "./options.ts";
import { logPath, logStorage } from "./storage.ts";

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

  // What dockerd 28.5 answered.
  test.each<[string, Record<string, string>, string]>([
    ["local", { bogus: "1" }, "unknown log opt 'bogus' for log driver local"],
    ["syslog", { bogus: "1" }, "unknown log opt 'bogus' for syslog log driver"],
    ["gelf", { bogus: "1" }, "gelf-address is a required parameter"],
    ["fluentd", { bogus: "1" }, "unknown log opt 'bogus' for fluentd log driver"],
    ["journald", { bogus: "1" }, "unknown log opt 'bogus' for journald log driver"],
    ["local", { labels: "a" }, "unknown log opt 'labels' for log driver local"],
    ["local", { tag: "x" }, "unknown log opt 'tag' for log driver local"],
    ["local", { env: "a" }, "unknown log opt 'env' for log driver local"],
    ["syslog", { "syslog-address": "foo" }, "unsupported scheme: ''"],
    ["syslog", { "syslog-address": "http://x" }, "unsupported scheme: 'http'"],
    ["syslog", { "syslog-address": "unix:///nope" }, "stat /nope: no such file or directory"],
    ["syslog", { "syslog-address": "unixgram:///nope" }, "stat /nope: no such file or directory"],
    ["syslog", { "syslog-facility": "x", "syslog-address": "udp://127.0.0.1:9" }, "invalid syslog facility"],
    ["syslog", { "syslog-facility": "24", "syslog-address": "udp://127.0.0.1:9" }, "invalid syslog facility"],
    ["syslog", { "syslog-format": "x", "syslog-address": "udp://127.0.0.1:9" }, "Invalid syslog format"],
    ["syslog", { "syslog-address": "udp://127.0.0.1:x" }, 'parse "udp://127.0.0.1:x": invalid port ":x" after host'],
    ["syslog", { "syslog-address": "udp://[::1" }, `parse "udp://[::1": missing ']' in host`],
    ["gelf", {}, "gelf-address is a required parameter"],
    ["gelf", { "gelf-address": "foo" }, "gelf: endpoint needs to be TCP or UDP"],
    ["gelf", { "gelf-address": "http://x:1" }, "gelf: endpoint needs to be TCP or UDP"],
    ["gelf", { "gelf-address": "udp://127.0.0.1" }, "gelf: please provide gelf-address as proto://host:port"],
    ["gelf", { "gelf-address": "unix:///x" }, "gelf: endpoint needs to be TCP or UDP"],
    [
      "gelf",
      { "gelf-address": "udp://127.0.0.1:9", "gelf-compression-level": "10" },
      'unknown value "10" for log opt "gelf-compression-level" for gelf log driver',
    ],
    [
      "gelf",
      { "gelf-address": "udp://127.0.0.1:9", "gelf-compression-level": "-2" },
      'unknown value "-2" for log opt "gelf-compression-level" for gelf log driver',
    ],
    [
      "gelf",
      { "gelf-address": "udp://127.0.0.1:9", "gelf-compression-level": "x" },
      'unknown value "x" for log opt "gelf-compression-level" for gelf log driver',
    ],
    [
      "gelf",
      { "gelf-address": "udp://127.0.0.1:9", "gelf-compression-type": "x" },
      'unknown value "x" for log opt "gelf-compression-type" for gelf log driver',
    ],
    ["gelf", { "gelf-address": "tcp://127.0.0.1:1", "gelf-compression-type": "gzip" }, "compression is only supported on UDP"],
    ["gelf", { "gelf-address": "tcp://127.0.0.1:1", "gelf-compression-level": "1" }, "compression is only supported on UDP"],
    ["gelf", { "gelf-address": "udp://127.0.0.1:9", "gelf-tcp-max-reconnect": "1" }, '"gelf-tcp-max-reconnect" is only valid for TCP'],
    ["gelf", { "gelf-address": "udp://127.0.0.1:9", "gelf-tcp-reconnect-delay": "1" }, '"gelf-tcp-reconnect-delay" is only valid for TCP'],
    [
      "gelf",
      { "gelf-address": "tcp://127.0.0.1:1", "gelf-tcp-max-reconnect": "-1" },
      '"gelf-tcp-max-reconnect" must be a positive integer',
    ],
    [
      "gelf",
      { "gelf-address": "tcp://127.0.0.1:1", "gelf-tcp-reconnect-delay": "x" },
      '"gelf-tcp-reconnect-delay" must be a positive integer',
    ],
    ["fluentd", { "fluentd-address": "http://x" }, "invalid fluentd-address (http://x): unsupported scheme: 'http'"],
    ["fluentd", { "fluentd-address": "unix://" }, "invalid fluentd-address (unix://): path is empty"],
    ["fluentd", { "fluentd-address": "127.0.0.1:1/path" }, "invalid fluentd-address (127.0.0.1:1/path): should not contain a path element"],
    [
      "fluentd",
      { "fluentd-address": "tcp://127.0.0.1:x" },
      'invalid fluentd-address (tcp://127.0.0.1:x): parse "tcp://127.0.0.1:x": invalid port ":x" after host',
    ],
    [
      "fluentd",
      { "fluentd-address": "tcp://127.0.0.1:1/p" },
      "invalid fluentd-address (tcp://127.0.0.1:1/p): should not contain a path element",
    ],
    ["fluentd", { "fluentd-async": "x" }, 'strconv.ParseBool: parsing "x": invalid syntax'],
    ["fluentd", { "fluentd-async-connect": "true" }, "unknown log opt 'fluentd-async-connect' for fluentd log driver"],
    ["fluentd", { "fluentd-buffer-limit": "x" }, "invalid size: 'x'"],
    ["fluentd", { "fluentd-buffer-limit": "-1" }, "invalid size: '-1'"],
    ["fluentd", { "fluentd-retry-wait": "x" }, 'time: invalid duration "x"'],
    ["fluentd", { "fluentd-max-retries": "x" }, 'strconv.ParseUint: parsing "x": invalid syntax'],
    ["fluentd", { "fluentd-max-retries": "-1" }, 'strconv.ParseUint: parsing "-1": invalid syntax'],
    ["fluentd", { "fluentd-max-retries": "5000000000" }, 'strconv.ParseUint: parsing "5000000000": value out of range'],
    ["fluentd", { "fluentd-sub-second-precision": "x" }, 'strconv.ParseBool: parsing "x": invalid syntax'],
    ["fluentd", { "fluentd-request-ack": "x" }, 'strconv.ParseBool: parsing "x": invalid syntax'],
    [
      "fluentd",
      { "fluentd-write-timeout": "x" },
      'invalid value for fluentd-write-timeout: value must be a duration: time: invalid duration "x"',
    ],
    ["fluentd", { "fluentd-read-timeout": "x" }, "unknown log opt 'fluentd-read-timeout' for fluentd log driver"],
    [
      "fluentd",
      { "fluentd-write-timeout": "-1s" },
      "invalid value for fluentd-write-timeout: value must be a duration that is non-negative",
    ],
    [
      "fluentd",
      { "fluentd-async-reconnect-interval": "x" },
      'invalid value for fluentd-async-reconnect-interval: time: invalid duration "x"',
    ],
    [
      "fluentd",
      { "fluentd-async-reconnect-interval": "1ms" },
      'invalid value for fluentd-async-reconnect-interval: value ("1ms") must be between 100ms and 10s',
    ],
    [
      "fluentd",
      { "fluentd-async-reconnect-interval": "20s" },
      'invalid value for fluentd-async-reconnect-interval: value ("20s") must be between 100ms and 10s',
    ],
    ["fluentd", { "fluentd-read-timeout": "1s" }, "unknown log opt 'fluentd-read-timeout' for fluentd log driver"],
  ])("of %s refuses %p with Docker's text (LOG-02, LOG-04, LOG-07, LOG-08, LOG-11)", (driver, options, message) => {
    expect(() => validateLogOptions(driver, options)).toThrow(expect.objectContaining({ kind: "invalid", message }));
  });

  // What dockerd 28.5 found only when the container was started.
  test.each<[Record<string, string>, string]>([
    [{ "max-size": "x" }, "invalid value for max-size: x: invalid size: 'x'"],
    [{ "max-file": "x" }, 'invalid value for max-file: x: strconv.Atoi: parsing "x": invalid syntax'],
    [{ "max-file": "1" }, "compression cannot be enabled when max file count is 1"],
    [{ compress: "x" }, 'error reading compress log option: strconv.ParseBool: parsing "x": invalid syntax'],
  ])("of local refuses %p with what Docker says at a start", (options, message) => {
    expect(() => validateLogOptions("local", options)).toThrow(starting + message);
  });

  test.each<[string, Record<string, string>]>([
    ["local", { compress: "false", "max-file": "1" }],
    ["syslog", {}],
    ["syslog", { "syslog-address": "udp://127.0.0.1", "syslog-facility": "23", "syslog-tls-skip-verify": "maybe", "labels-regex": "(" }],
    ["gelf", { "gelf-address": "udp://127.0.0.1:9", "gelf-compression-level": "-1" }],
    ["gelf", { "gelf-address": "tcp://127.0.0.1:9", "gelf-tcp-max-reconnect": "0" }],
    ["fluentd", { "fluentd-address": "localhost", "fluentd-retry-wait": "-1s", "fluentd-write-timeout": "1m30s" }],
    ["fluentd", { "fluentd-address": "tls://logs.example:1", "fluentd-async-reconnect-interval": "500ms" }],
    ["journald", { tag: "x", "env-regex": "^A" }],
    ["journald", { "cache-max-size": "x", "cache-max-file": "0", "cache-compress": "x" }],
  ])("of %s accepts %p, as Docker", (driver, options) => {
    expect(() => validateLogOptions(driver, options)).not.toThrow();
  });

  test("knows no driver that it does not carry out", () => {
    expect(() => validateLogOptions("blah", {})).toThrow('error looking up logging plugin blah: plugin "blah" not found');
  });

  test("looks at no option of the driver none, as Docker", () => {
    expect(() => validateLogOptions("none", { foo: "bar" })).not.toThrow();
  });
});

test("logStorage() reads sizes in powers of 1000, and none as never", () => {
  expect(logStorage("json-file", { "max-size": "20m", "max-file": "5" })).toMatchObject({ maxSizeBytes: 20_000_000, maxFiles: 5 });
  expect(logStorage("json-file", {})).toMatchObject({ maxSizeBytes: Infinity, maxFiles: 1, nonBlocking: false });
});

test("logPath() names the file after the container", () => {
  expect(logPath("/data/logs", "abc")).toBe("/data/logs/abc-json.log");
});
