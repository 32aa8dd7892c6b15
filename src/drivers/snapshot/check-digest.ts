import type { Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";

/** @throws {EngineError} `invalid` when another digest was expected than the actual one */
export function checkDigest(what: string, actual: Digest, expected: Digest | undefined): void {
  if (expected !== undefined && expected !== actual)
    throw new EngineError("invalid", `${what} has digest ${actual}, but ${expected} was expected`);
}
