import { expect, test } from "bun:test";
import { chainHexes } from "./layers.ts";

test("chainHexes() gives the lowest layer its own digest and hashes each further one with what is below", () => {
  const [first, second] = [`sha256:${"a".repeat(64)}`, `sha256:${"b".repeat(64)}`];
  const hashed = new Bun.CryptoHasher("sha256").update(`${first} ${second}`).digest("hex");
  expect(chainHexes([])).toEqual([]);
  expect(chainHexes([first, second])).toEqual(["a".repeat(64), hashed]);
});
