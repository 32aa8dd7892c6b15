import { describe, expect, test } from "bun:test";
import { logAttributes, type LoggedContainer } from "./attributes.ts";

const container: LoggedContainer = {
  id: "0123456789abcdef".repeat(4),
  name: "web",
  imageId: `sha256:${"fedcba9876543210".repeat(4)}`,
  imageName: "busybox:1",
  labels: { z: "1", a: "2", "com.example": "3" },
  environment: ["FOO=bar=baz", "MYX=3", "EMPTY="],
  createdAt: "2026-11-22T05:38:37Z",
  command: ["sh", "-c", "true"],
};

describe("logAttributes", () => {
  test("takes the labels and variables that the options name", () => {
    const options = { labels: "z,a,nope", env: "FOO", "env-regex": "^MY", "labels-regex": "^com\\." };
    expect(logAttributes(options, container)).toEqual({ z: "1", a: "2", "com.example": "3", FOO: "bar=baz", MYX: "3" });
  });

  test("is empty without options", () => {
    expect(logAttributes({ "max-size": "1m" }, container)).toEqual({});
  });

  test("expands the tag", () => {
    expect(logAttributes({ tag: "{{.Name}}/{{.ID}}" }, container)).toEqual({ tag: "web/0123456789ab" });
    expect(logAttributes({ tag: "{{ .ImageName }} {{.ImageID}}" }, container)).toEqual({ tag: "busybox:1 sha256:fedcb" });
  });

  test.each([{ tag: "{{.Foo}}" }, { tag: "{{.Name" }, { "labels-regex": "(" }])("refuses %p", (options) => {
    expect(() => logAttributes(options, container)).toThrow(expect.objectContaining({ kind: "invalid" }));
  });

  test("refuses attributes that would fill the log", () => {
    expect(() => logAttributes({ labels: "long" }, { ...container, labels: { long: "x".repeat(9000) } })).toThrow("longer than 8192 bytes");
  });
});
