import { closeSync, constants, openSync, statSync } from "node:fs";
import { digestHex } from "#lib/digest.ts";
import { messageOf } from "#lib/errors.ts";
import { hashFile } from "#os/hash-file.ts";
import { ConfinedDirectory } from "#os/confined.ts";
import { readTree } from "./build.ts";
import type { LayerDamage, VerifyRequest } from "./helper-protocol.ts";
import { withLowers } from "./lower-lookup.ts";
import { findDifference } from "./unpacked/compare.ts";
import { findWholeDifference } from "./vfs/compare.ts";

/** Looks for damage in a stored layer. Blocks: for helper processes. */
export function findLayerDamage(request: VerifyRequest): LayerDamage[] {
  const archive = looking("archive", request.tar, () => archiveDamage(request));
  // Files are compared with the archive, so that one has to be whole.
  if (request.form !== "erofs") return archive ? [archive] : present(looking("files", request.content, () => filesDamage(request)));
  return present(
    archive,
    looking("index", request.content, () => indexDamage(request)),
  );
}

function looking(part: LayerDamage["part"], file: string, look: () => string | undefined): LayerDamage | undefined {
  try {
    const reason = look();
    return reason === undefined ? undefined : { part, file, reason, isMissing: false };
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return { part, file, reason: isMissing ? `its ${part === "files" ? "files are" : `${part} is`} missing` : messageOf(error), isMissing };
  }
}

const present = (...damages: readonly (LayerDamage | undefined)[]): LayerDamage[] => damages.filter((damage) => damage !== undefined);

/** Of the archive's own bytes: the file may be padded. */
function archiveDamage({ tar, sizeBytes, diffId }: VerifyRequest): string | undefined {
  const { size } = statSync(tar);
  if (size < sizeBytes) return `its archive is cut: ${size} of ${sizeBytes} bytes are there`;
  return hashFile(tar, "sha256", sizeBytes) === digestHex(diffId) ? undefined : "its archive has another digest";
}

function indexDamage({ content, indexDigest }: VerifyRequest): string | undefined {
  return `sha256:${hashFile(content, "sha256")}` === indexDigest ? undefined : "its index has another digest";
}

function filesDamage(request: VerifyRequest): string | undefined {
  const tree = readTree(request.tar);
  withLowers(request.lowers, (lookup) => tree.settle(lookup));
  using root = ConfinedDirectory.openPath(request.content);
  const tar = openSync(request.tar, constants.O_RDONLY);
  try {
    const path =
      request.form === "whole"
        ? findWholeDifference(tree.root, { path: request.tar, descriptor: tar }, root, { lowers: request.lowers, tars: request.tarsBelow })
        : findDifference(tree.root, tar, root);
    return path === undefined ? undefined : `its file ${JSON.stringify(path)} is not as the archive has it`;
  } finally {
    closeSync(tar);
  }
}
