import { closeSync, constants, openSync, readFileSync, readSync } from "node:fs";
import { digestHex, sha256 } from "#lib/digest.ts";
import { messageOf } from "#lib/errors.ts";
import { ConfinedDirectory } from "#os/confined.ts";
import { readTree } from "./build.ts";
import type { VerifyRequest } from "./helper-protocol.ts";
import { withLowers } from "./lower-lookup.ts";
import { findDifference } from "./unpacked/compare.ts";

const readBytes = 1 << 20;

/** Looks for damage in a stored layer; undefined when there is none, else what is damaged. Blocks: for helper processes. */
export function findDamage(request: VerifyRequest): string | undefined {
  try {
    if (hashOf(request.tar, request.sizeBytes) !== digestHex(request.diffId)) return "its archive has another digest";
    return request.form === "erofs" ? indexDamage(request) : unpackedDamage(request);
  } catch (error) {
    return messageOf(error); // a file that is missing or cannot be read
  }
}

function indexDamage(request: VerifyRequest): string | undefined {
  return sha256(readFileSync(request.content)) === request.indexDigest ? undefined : "its index has another digest";
}

function unpackedDamage(request: VerifyRequest): string | undefined {
  const tree = readTree(request.tar);
  withLowers(request.lowers, (lookup) => tree.settle(lookup));
  using root = ConfinedDirectory.openPath(request.content);
  const tar = openSync(request.tar, constants.O_RDONLY);
  try {
    const path = findDifference(tree.root, tar, root);
    return path === undefined ? undefined : `${JSON.stringify(path)} is not as its archive has it`;
  } finally {
    closeSync(tar);
  }
}

/** Of the archive's own bytes: the file may be padded. */
function hashOf(path: string, sizeBytes: number): string {
  const hasher = new Bun.CryptoHasher("sha256");
  const file = openSync(path, constants.O_RDONLY);
  try {
    const buffer = Buffer.allocUnsafe(readBytes);
    for (let done = 0; done < sizeBytes;) {
      const length = readSync(file, buffer, 0, Math.min(readBytes, sizeBytes - done), done);
      if (length === 0) break;
      hasher.update(buffer.subarray(0, length));
      done += length;
    }
    return hasher.digest("hex");
  } finally {
    closeSync(file);
  }
}
