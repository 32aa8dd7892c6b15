import { describe, expect, test } from "bun:test";
import { mergeImageConfig } from "./image-config.ts";

const image = { Entrypoint: ["/entry"], Cmd: ["serve"], Env: ["A=image", "B=image"], WorkingDir: "/srv/", Labels: { a: "image" } };

describe("what runs", () => {
  test.each([
    ["nothing", {}, ["/entry"], ["serve"]],
    ["a command", { Cmd: ["x"] }, ["/entry"], ["x"]],
    ["an entrypoint", { Entrypoint: ["/own"] }, ["/own"], null],
    ["both", { Entrypoint: ["/own"], Cmd: ["x"] }, ["/own"], ["x"]],
    ["an empty entrypoint", { Entrypoint: [] }, [], ["serve"]],
    ['the entrypoint [""]', { Entrypoint: [""] }, null, null],
    ["an empty command", { Cmd: [] }, ["/entry"], ["serve"]],
  ])("when the request names %s", (_what, request, entrypoint, cmd) => {
    const { Entrypoint, Cmd } = mergeImageConfig(request, image);
    expect({ Entrypoint, Cmd }).toEqual({ Entrypoint: entrypoint, Cmd: cmd });
  });
});

test("the request's environment and labels go before the image's", () => {
  const { Env, Labels } = mergeImageConfig({ Env: ["A=own"], Labels: { b: "own" } }, image);
  expect(Env).toEqual(["A=own", "B=image"]);
  expect(Labels).toEqual({ a: "image", b: "own" });
});

test.each([
  ["", "/srv"],
  ["/w/../x/", "/x"],
  ["/", "/"],
])("the working directory %p becomes %p", (wanted, path) => {
  expect(mergeImageConfig({ WorkingDir: wanted }, image).WorkingDir).toBe(path);
});

test("a health check is the image's, field by field where the request says nothing", () => {
  const image = { Healthcheck: { Test: ["CMD", "image"], Interval: 5e9, Retries: 7 } };
  const merged = (Healthcheck: object | null) => mergeImageConfig({ Healthcheck }, image).Healthcheck;
  expect(merged(null)).toEqual(image.Healthcheck);
  expect(merged({ Interval: 1e9, Test: [], Timeout: 0 })).toEqual({ Test: ["CMD", "image"], Interval: 1e9, Retries: 7 });
  expect(merged({ Test: ["NONE"] })?.Test).toEqual(["NONE"]);
});
