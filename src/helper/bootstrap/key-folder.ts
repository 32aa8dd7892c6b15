import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A folder of keys for apt with one file in it. apt has them read by another user, to whom the folder of the given file may be closed, and tells
 * the two forms of keys by the names of their files.
 */
export function keyFolder(keyring: string): { readonly path: string } & Disposable {
  const keys = readFileSync(keyring);
  const path = mkdtempSync(join(tmpdir(), "gantry-keys-"));
  chmodSync(path, 0o755);
  const isArmored = keys.subarray(0, 200).toString("latin1").includes("-----BEGIN PGP");
  writeFileSync(join(path, isArmored ? "keys.asc" : "keys.gpg"), keys, { mode: 0o644 });
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
