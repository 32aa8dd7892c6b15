import { describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import { chunks, gelfEncoder } from "../gelf/message.ts";
import { fluentdEncoder } from "../fluentd/message.ts";
import { unpackAcks } from "../fluentd/msgpack.ts";
import { journaldEncoder } from "../journald/message.ts";
import type { SyslogFormat } from "../syslog/options.ts";
import { syslogEncoder } from "../syslog/message.ts";
import type { ForwardRecord, RecordSource } from "./types.ts";

/// What dockerd 28.5 sent for the same records, with its process's number and the order of a map in Go aside.

const id = "b43c6eef33341f3cc7fb54dbb959e6318ccb4ea685da485239e82daeb693e811";
const source: RecordSource = {
  containerId: id,
  containerName: "c-facts",
  imageId: "sha256:da7680d532b72070096b79236f8bdcb0bba629f00b83ac3337fbd08c2e4c0d54",
  imageName: "busybox",
  createdAt: "2026-11-26T20:13:59.698652266Z",
  command: 'sh -c echo out; echo err >&2; printf "%020000d\\n" 7',
  tag: "b43c6eef3334",
  attributes: { "com.x": "lab", y: "2", EV: "envval" },
};
const out: ForwardRecord = { stream: "stdout", timeNano: 1_795_724_039_817_664_123n, text: Buffer.from("out"), ordinal: 1 };
const err: ForwardRecord = { ...out, stream: "stderr", text: Buffer.from("err") };

describe("syslog (LOG-07)", () => {
  const message = (format: SyslogFormat, framed = false, record = out): string =>
    syslogEncoder({ facility: 3, format, framed, tag: source.tag })(record).toString().replaceAll(String(process.pid), "PID");
  const stamp = new Date(1_795_724_039_817).toString().replace(/^\w+ (\w+ \d+) \d+ (\S+).*$/, "$1 $2");

  test.each<[SyslogFormat, string]>([
    ["unix", `<30>${stamp} b43c6eef3334[PID]: out\n`],
    ["rfc3164", `<30>${stamp} ${hostname()} b43c6eef3334[PID]: out\n`],
    ["rfc5424", `<30>1 2026-11-26T20:13:59Z ${hostname()} b43c6eef3334 PID b43c6eef3334 - out\n`],
    ["rfc5424micro", `<30>1 2026-11-26T20:13:59.817664Z ${hostname()} b43c6eef3334 PID b43c6eef3334 - out\n`],
  ])("in the form %s", (format, expected) => {
    expect(message(format)).toBe(expected);
  });

  test("errors have their severity, and by TLS a message has its length before it", () => {
    expect(message("unix", false, err)).toStartWith("<27>");
    const framed = syslogEncoder({ facility: 3, format: "rfc5424", framed: true, tag: "t" })(out).toString();
    const [, length = "", rest = ""] = /^(\d+) (.*)$/s.exec(framed) ?? [];
    expect(Number(length)).toBe(Buffer.byteLength(rest));
  });
});

describe("gelf (LOG-08)", () => {
  test("a message has Docker's fields in Docker's order", () => {
    const expected =
      `{"version":"1.1","host":"${hostname()}","short_message":"err","timestamp":1795724039.817,"level":3,"_EV":"envval","_com.x":"lab",` +
      `"_command":"sh -c echo out; echo err \\u003e\\u00262; printf \\"%020000d\\\\n\\" 7","_container_id":"${id}","_container_name":"c-facts",` +
      `"_created":"2026-11-26T20:13:59.698652266Z","_image_id":"${source.imageId}","_image_name":"busybox","_tag":"b43c6eef3334","_y":"2"}`;
    expect(gelfEncoder(source)(err).toString()).toBe(expected);
  });

  test("what is longer than a datagram goes in chunks of 1420 bytes", () => {
    const message = Buffer.from(Array.from({ length: 4000 }, (_, index) => index & 255));
    const pieces = chunks(message);
    expect(pieces.map(({ length }) => length)).toEqual([1420, 1420, 1196]);
    expect(pieces.map((piece) => [...piece.subarray(0, 2), piece[10], piece[11]])).toEqual(
      [0, 1, 2].map((index) => [0x1e, 0x0f, index, 3]),
    );
    expect(new Set(pieces.map((piece) => piece.toString("hex", 2, 10))).size).toBe(1);
    expect(Buffer.concat(pieces.map((piece) => piece.subarray(12)))).toEqual(message);
    expect(chunks(message.subarray(0, 1420))).toEqual([message.subarray(0, 1420)]);
  });
});

describe("fluentd (LOG-03)", () => {
  const plain = { ...source, attributes: {} };
  const record = `\xaccontainer_id\xd9@${id}\xaecontainer_name\xa8/c-facts\xa6source\xa6stdout`;

  test("an event is a message of four parts", () => {
    expect(fluentdEncoder(plain, false)(out).toString("latin1")).toBe(
      `\x94\xacb43c6eef3334\xd2k\x08\x93\x07\x84${record}\xa3log\xa3out\x80`,
    );
    expect(fluentdEncoder(plain, true)(out).toString("latin1")).toBe(
      `\x94\xacb43c6eef3334\xd7\x00k\x08\x93\x07\x30\xbc\x90\x7b\x84${record}\xa3log\xa3out\x80`,
    );
  });

  test("a part of a long line says which, and a chunk is named when it is to be acknowledged", () => {
    const part = { ...out, part: { id: "p", ordinal: 2, last: true } };
    const partial = "\xafpartial_message\xa4true\xaapartial_id\xa1p\xafpartial_ordinal\xa12\xacpartial_last\xa4true";
    expect(fluentdEncoder(plain, false)(part, "C5MIawAAAABJMBkthQ5HkQ==").toString("latin1")).toEndWith(
      `\x88${record}${partial}\xa3log\xa3out\x81\xa5chunk\xb8C5MIawAAAABJMBkthQ5HkQ==`,
    );
  });

  test("answers are read however they are cut, and nothing else is", () => {
    const answer = Buffer.from("\x81\xa3ack\xb8C5MIawAAAABJMBkthQ5HkQ==", "latin1");
    const two = Buffer.concat([answer, answer.subarray(0, 9)]);
    expect(unpackAcks(two)).toEqual({ acks: ["C5MIawAAAABJMBkthQ5HkQ=="], rest: Buffer.from(answer.subarray(0, 9)) });
    expect(unpackAcks(Buffer.alloc(0))).toEqual({ acks: [], rest: Buffer.alloc(0) });
    expect(() => unpackAcks(Buffer.from("HTTP/1.1 400"))).toThrow();
    expect(() => unpackAcks(Buffer.from("\x81\xa3nack", "latin1"))).toThrow();
  });
});

describe("journald (LOG-02)", () => {
  const fields = (record: ForwardRecord): string[] => journaldEncoder(source)(record).toString().split("\n").filter(Boolean).sort();

  test("an entry has Docker's fields", () => {
    expect(fields(out)).toEqual(
      [
        "PRIORITY=6",
        "MESSAGE=out",
        "CONTAINER_ID=b43c6eef3334",
        `CONTAINER_ID_FULL=${id}`,
        "CONTAINER_NAME=c-facts",
        "CONTAINER_TAG=b43c6eef3334",
        "IMAGE_NAME=busybox",
        "SYSLOG_IDENTIFIER=b43c6eef3334",
        "SYSLOG_TIMESTAMP=2026-11-26T20:13:59.817664123Z",
        `CONTAINER_LOG_EPOCH=${id}`,
        "CONTAINER_LOG_ORDINAL=1",
        "COM_X=lab",
        "Y=2",
        "EV=envval",
      ].sort(),
    );
  });

  test("a value with a newline has its length before it, and forges no field", () => {
    const entry = journaldEncoder({ ...source, attributes: { note: "a\nPRIORITY=0" } })(out).toString("latin1");
    expect(entry).toContain("NOTE\n\x0c\0\0\0\0\0\0\0a\nPRIORITY=0\n");
  });
});
