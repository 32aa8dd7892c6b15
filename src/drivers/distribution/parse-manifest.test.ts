import { expect, test } from "bun:test";
import { mediaTypes } from "#types/oci/image.ts";
import { parseManifest } from "./parse-manifest.ts";

const digest = `sha256:${"a".repeat(64)}`;
const config = { mediaType: mediaTypes.ociConfig, digest, size: 10 };
const layer = { mediaType: mediaTypes.ociLayerGzip, digest, size: 10 };
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [{ mediaType: mediaTypes.ociManifest, digest, size: 10 }] };
const parse = (value: unknown, type: string = "") =>
  parseManifest(Buffer.from(typeof value === "string" ? value : JSON.stringify(value)), type);
const withLayer = (fields: object) => ({ ...manifest, layers: [{ ...layer, ...fields }] });

test("manifests and indexes of both families are told apart", () => {
  expect(parse(manifest, `${mediaTypes.ociManifest}; charset=utf-8`)).toMatchObject({ kind: "manifest", manifest: { layers: [layer] } });
  expect(parse({ ...manifest, mediaType: mediaTypes.dockerManifest }).kind).toBe("manifest");
  expect(parse(index, mediaTypes.ociIndex)).toMatchObject({ kind: "index", index: { manifests: [{ digest }] } });
  expect(parse({ ...index, mediaType: mediaTypes.dockerManifestList }).kind).toBe("index");
});

test("a document without a type has that of its answer, or of its fields", () => {
  const { mediaType: _mediaType, ...bare } = manifest;
  expect(parse(bare, mediaTypes.dockerManifest)).toMatchObject({ mediaType: mediaTypes.dockerManifest });
  expect(parse(bare, "application/json")).toMatchObject({ mediaType: mediaTypes.ociManifest });
});

const refused = [
  ["", "", "unexpected end of JSON input"],
  ["<html>", "text/html", "invalid character '<'"],
  ["[]", "", "not an object"],
  ["null", "", "not an object"],
  [{ schemaVersion: 1 }, "", "schema 1 support has been removed"],
  [manifest, "application/vnd.docker.distribution.manifest.v1+prettyjws", "schema 1 support has been removed"],
  [{ ...manifest, schemaVersion: 3 }, "", "unsupported schema version 3"],
  [manifest, mediaTypes.ociIndex, "media type mismatch"],
  [index, mediaTypes.ociManifest, "media type mismatch"],
  [{ ...manifest, manifests: [] }, "", "expected manifest but found index"],
  [{ ...index, layers: [] }, "", "expected index but found manifest"],
  [{ ...manifest, mediaType: "text/x" }, "", "unsupported manifest media type"],
  [{ ...manifest, config: undefined }, "", 'could not validate config digest ""'],
  [
    { ...manifest, config: { ...config, mediaType: "application/vnd.oci.empty.v1+json" } },
    "",
    "unsupported media type application/vnd.oci.empty",
  ],
  [{ ...manifest, layers: "x" }, "", "no list of layers"],
  [{ ...manifest, layers: Array.from({ length: 2000 }, () => layer) }, "", "more than 1024 layers"],
  [withLayer({ digest: "" }), "", 'could not validate layer digest "": invalid checksum digest format'],
  [withLayer({ digest: "sha256:../../etc" }), "", "invalid checksum digest format"],
  [withLayer({ digest: `md5:${"a".repeat(32)}` }), "", "invalid checksum digest format"],
  [withLayer({ digest: { toString: 1 } }), "", "invalid checksum digest format"],
  [withLayer({ size: -1 }), "", "could not validate layer size -1"],
  [withLayer({ size: 1.5 }), "", "could not validate layer size 1.5"],
  [withLayer({ size: 2 ** 60 }), "", "could not validate layer size"],
  [withLayer({ size: "10" }), "", "could not validate layer size"],
  [withLayer({ mediaType: "application/x-foo" }), "", "unsupported media type application/x-foo"],
  [{ ...manifest, config: { ...config, size: 5 << 20 } }, "", "could not validate config size"],
] as const;

test.each(refused.map(([value, type, message]) => [message, value, type] as const))(
  "a document is refused: %s (B2, B3, B4)",
  (message, value, type) => {
    expect(() => parse(value, type)).toThrow(message);
  },
);
