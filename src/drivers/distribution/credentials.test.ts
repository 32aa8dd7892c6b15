import { expect, test } from "bun:test";
import { parseRegistryAuth } from "./credentials.ts";

const header = (value: unknown, encoding: "base64" | "base64url" = "base64url"): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString(encoding);

test("the header is read in both alphabets, with keys in any case", () => {
  const fields = { Username: "me", password: "pä>?ss", serveraddress: "x" };
  for (const encoding of ["base64", "base64url"] as const)
    expect(parseRegistryAuth(header(fields, encoding))).toEqual({ username: "me", password: "pä>?ss" });
});

test("tokens and the joined form are read", () => {
  expect(parseRegistryAuth(header({ identitytoken: "i" }))).toEqual({ identityToken: "i" });
  expect(parseRegistryAuth(header({ registrytoken: "r" }))).toEqual({ registryToken: "r" });
  expect(parseRegistryAuth(header({ auth: Buffer.from("me:p:w").toString("base64") }))).toEqual({ username: "me", password: "p:w" });
});

test.each([undefined, "", "!!", header("no json"), header("null"), header("{}"), header({ username: 1 }), header({ username: "" })])(
  "%p counts as no credentials",
  (text) => {
    expect(parseRegistryAuth(text)).toBeUndefined();
  },
);
