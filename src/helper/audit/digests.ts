import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { messageOf } from "#lib/errors.ts";
import type { Finding } from "./difference.ts";
import { namesIn } from "./host.ts";
import type { Records } from "./records.ts";

/**
 * Hashes every blob, every layer's archive and every index again. Reads all of it: about a second per gigabyte where the disk allows.
 * @param tell  is given the path under work
 */
export async function checkDigests({ paths }: Records, tell: (path: string) => void): Promise<Finding[]> {
  const findings: Finding[] = [];
  const blobs = `${paths.content}/blobs`;
  for (const algorithm of ["sha256", "sha512"] as const) {
    for (const hex of namesIn(`${blobs}/${algorithm}`)) {
      tell(`${blobs}/${algorithm}/${hex}`);
      findings.push(...(await compare("blob", `${blobs}/${algorithm}/${hex}`, `${algorithm}:${hex}`)));
    }
  }
  for (const chain of namesIn(`${paths.layers}/chains`)) {
    tell(`${paths.layers}/chains/${chain}`);
    findings.push(...(await checkLayer(paths.layers, chain)));
  }
  return findings;
}

async function checkLayer(layers: string, chain: string): Promise<Finding[]> {
  const folder = `${layers}/chains/${chain}`;
  let record: { readonly diffId: string; readonly sizeBytes: number; readonly indexDigest: string | null };
  try {
    record = JSON.parse(await readFile(`${folder}/layer.json`, "utf8")) as typeof record;
  } catch (error) {
    return [{ kind: "layer", subject: `${folder}/layer.json`, message: `cannot be read: ${messageOf(error)}` }];
  }
  // The file is padded to whole blocks for the mount; the archive proper is what has the digest.
  const archive = await compare("layer", `${layers}/tars/${record.diffId.replace("sha256:", "")}`, record.diffId, record.sizeBytes);
  return record.indexDigest === null ? archive : [...archive, ...(await compare("layer", `${folder}/index`, record.indexDigest))];
}

async function compare(kind: "blob" | "layer", path: string, digest: string, sizeBytes = Infinity): Promise<Finding[]> {
  const hasher = new Bun.CryptoHasher(digest.startsWith("sha512:") ? "sha512" : "sha256");
  try {
    if (sizeBytes > 0)
      for await (const chunk of createReadStream(path, { end: sizeBytes - 1, highWaterMark: 1 << 20 })) hasher.update(chunk as Buffer);
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === "ENOENT"; // removed meanwhile, or missing: the other checks tell
    return isGone ? [] : [{ kind, subject: path, message: `cannot be read: ${messageOf(error)}` }];
  }
  const actual = `${digest.slice(0, 6)}:${hasher.digest("hex")}`;
  return actual === digest ? [] : [{ kind, subject: path, message: `has digest ${actual}, should have ${digest}` }];
}
