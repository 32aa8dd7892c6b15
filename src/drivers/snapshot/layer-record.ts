import { isDigest, type Digest } from "#lib/digest.ts";
import type { LayerForm } from "./helper-protocol.ts";
import type { ChainId, DiffId } from "./types.ts";

/** What `layer.json` beside a layer says. Written once, before the layer becomes visible. */
export interface LayerRecord {
  readonly version: 1;
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  /** Chain id of the layer below; null for the lowest. */
  readonly parent: ChainId | null;
  readonly form: LayerForm;
  readonly indexDigest: Digest | null;
  /** Bytes of the tar, without the padding of its file. */
  readonly sizeBytes: number;
  /** Of the blob it was first imported from. */
  readonly digest: Digest;
  readonly compressedBytes: number;
}

/** Undefined when the text is no whole record. */
export function parseLayerRecord(text: string): LayerRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // cut or overwritten
  }
  return isLayerRecord(value) ? value : undefined;
}

function isLayerRecord(value: unknown): value is LayerRecord {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<keyof LayerRecord, unknown>;
  const isOptionalDigest = (digest: unknown): boolean => digest === null || isDigestValue(digest);
  return (
    record.version === 1 &&
    isDigestValue(record.chainId) &&
    isDigestValue(record.diffId) &&
    isDigestValue(record.digest) &&
    isOptionalDigest(record.parent) &&
    isOptionalDigest(record.indexDigest) &&
    isForm(record.form) &&
    Number.isSafeInteger(record.sizeBytes) &&
    Number.isSafeInteger(record.compressedBytes)
  );
}

function isForm(value: unknown): value is LayerForm {
  return value === "erofs" || value === "unpacked" || value === "whole";
}

function isDigestValue(value: unknown): boolean {
  return typeof value === "string" && isDigest(value);
}
