import { expect, test } from "bun:test";
import { checkContentType } from "./content-type.ts";
import { readJsonBody } from "./request-body.ts";

/** Headers and what dockerd 28.5.2 said to them; "" where it took them. */
test.each([
  ["application/json", ""],
  ["application/json; charset=utf-8", ""],
  ["APPLICATION/JSON", ""],
  ["application/json;", ""],
  ["application/json;a=b;a=b", ""],
  ["text/plain", "unsupported Content-Type header (text/plain): must be 'application/json'"],
  ["application/jsonx", "unsupported Content-Type header (application/jsonx): must be 'application/json'"],
  ["multipart/form-data; boundary=x", "unsupported Content-Type header (multipart/form-data; boundary=x): must be 'application/json'"],
  ["", "malformed Content-Type header (): mime: no media type"],
  ["/", "malformed Content-Type header (/): mime: no media type"],
  ["application/", "malformed Content-Type header (application/): mime: expected token after slash"],
  ["a b", "malformed Content-Type header (a b): mime: expected slash after first token"],
  [
    "application/json, text/plain",
    "malformed Content-Type header (application/json, text/plain): mime: unexpected content after media subtype",
  ],
  ["application/json; charset", "malformed Content-Type header (application/json; charset): mime: invalid media parameter"],
  ["application/json; =x", "malformed Content-Type header (application/json; =x): mime: invalid media parameter"],
  ['application/json; charset="', 'malformed Content-Type header (application/json; charset="): mime: invalid media parameter'],
])("%j is answered as by dockerd", (header, message) => {
  const check = (): void => checkContentType(header, true);
  if (message) expect(check).toThrow(message);
  else expect(check).not.toThrow();
});

test("without a body the header may be missing, but not wrong", () => {
  expect(() => checkContentType(undefined, false)).not.toThrow();
  expect(() => checkContentType("text/plain", false)).toThrow("unsupported Content-Type header (text/plain)");
});

test("readJsonBody() checks the header before the body, and passes the limit on", async () => {
  const request = (type: string, text: string) => ({
    headers: { "content-type": type },
    body: (limitBytes?: number) => Promise.resolve(Buffer.from(text.slice(0, limitBytes))),
  });
  expect((await readJsonBody("VolumeCreate", request("application/json", '{"Name":"a"} '), 12)).Name).toBe("a");
  await expect(readJsonBody("VolumeCreate", request("text/plain", "{"))).rejects.toThrow("unsupported Content-Type");
});
