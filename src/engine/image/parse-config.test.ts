import { expect, test } from "bun:test";
import { parseImageConfig } from "./parse-config.ts";

const rootfs = { type: "layers", diff_ids: [`sha256:${"a".repeat(64)}`] };
const parse = (value: unknown) => parseImageConfig(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));

test("null counts as absent, as Go reads it, and what is unknown stays", () => {
  const config = parse({
    os: "linux",
    architecture: "arm64",
    rootfs,
    created: null,
    config: { Cmd: null, Env: ["A=b"], Labels: {} },
    extra: 1,
  });
  expect(config).toEqual({ os: "linux", architecture: "arm64", rootfs, config: { Env: ["A=b"], Labels: {} }, extra: 1 } as never);
});

test("a config that does not say is for this machine", () => {
  expect(parse({ rootfs: {} })).toMatchObject({ os: "linux", rootfs: { diff_ids: [] } });
});

const refused = [
  ["{", "invalid image config"],
  ["[]", "image config must be an object"],
  [{}, "rootfs must be an object"],
  [{ rootfs: { diff_ids: ["sha256:../.."] } }, "must be a list of sha256 digests"],
  [{ rootfs: { diff_ids: [null] } }, "must be a list of sha256 digests"],
  [{ rootfs: { diff_ids: Array(600).fill(rootfs.diff_ids[0]) } }, "more than 500 layers"],
  [{ rootfs, os: 1 }, "os has the wrong type"],
  [{ rootfs, history: [1] }, "history must be a list of objects"],
  [{ rootfs, config: { Env: [null] } }, "Env has the wrong type"],
  [{ rootfs, config: { Entrypoint: "sh" } }, "Entrypoint has the wrong type"],
  [{ rootfs, config: { Labels: { a: 1 } } }, "Labels has the wrong type"],
  [{ rootfs, config: { ExposedPorts: [] } }, "ExposedPorts has the wrong type"],
  [{ rootfs, config: { Healthcheck: { Interval: "1s" } } }, "Healthcheck.Interval has the wrong type"],
] as const;

test.each(refused.map(([value, message]) => [message, value] as const))("a config is refused: %s", (message, value) => {
  expect(() => parse(value)).toThrow(message);
});
