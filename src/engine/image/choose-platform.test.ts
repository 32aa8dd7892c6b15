import { expect, test } from "bun:test";
import type { Descriptor } from "#types/oci/image.ts";
import { candidatesFor, formatPlatform } from "./choose-platform.ts";

const entry = (name: string, platform?: Descriptor["platform"]): Descriptor => ({
  mediaType: "",
  digest: name,
  size: 1,
  ...(platform && { platform }),
});
const linux = (architecture: string, variant?: string) => ({ os: "linux", architecture, ...(variant && { variant }) });
const choose = (wanted: Parameters<typeof candidatesFor>[0], entries: Descriptor[]) =>
  candidatesFor(wanted, entries).map(({ digest }) => digest);

test("the plainest variant comes first, then the order of the index, then entries without a platform", () => {
  const entries = [
    entry("none"),
    entry("v3", linux("amd64", "v3")),
    entry("v2", linux("amd64", "v2")),
    entry("plain", linux("amd64")),
    entry("arm", linux("arm64")),
  ];
  expect(choose(linux("amd64"), entries)).toEqual(["plain", "v2", "v3", "none"]);
  expect(choose(linux("amd64", "v3"), entries)).toEqual(["v3", "none"]);
});

test("arm64 is arm64/v8, and an attestation is no image", () => {
  const entries = [
    entry("attestation", { os: "unknown", architecture: "unknown" }),
    entry("v8", linux("arm64", "v8")),
    entry("plain", linux("arm64")),
  ];
  expect(choose(linux("arm64", "v8"), entries)).toEqual(["v8", "plain"]);
  expect(formatPlatform(linux("arm64", "v8"))).toBe("linux/arm64/v8");
});
