import { EngineError } from "./errors.ts";

declare const digest: unique symbol;
/** The name of a blob by its content: algorithm, colon, lowercase hex digits. Source: OCI image-spec, descriptor.md, "Digests". */
export type Digest = string & { readonly [digest]: true };

/** @throws {EngineError} `invalid`, unless `text` is a well-formed sha256 or sha512 digest. */
export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new EngineError("invalid", `invalid digest ${JSON.stringify(text)}`);
  return text;
}

/** True when `text` is a well-formed sha256 or sha512 digest. */
export function isDigest(text: string): text is Digest {
  return /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text);
}

/** The part after the colon. */
export function digestHex(value: Digest): string {
  return value.slice(value.indexOf(":") + 1);
}

/** The sha256 digest of bytes held in memory; large content is hashed while it streams instead. */
export function sha256(content: Uint8Array | string): Digest {
  // The one other place where a string becomes a Digest: it was made here.
  return `sha256:${new Bun.CryptoHasher("sha256").update(content).digest("hex")}` as Digest;
}
