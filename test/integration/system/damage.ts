import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

/** What can happen to a file that is not what it was. */
export type Damage = "emptied" | "halved" | "garbled" | "missing";
export const damages: readonly Damage[] = ["emptied", "halved", "garbled", "missing"];

/** Damages a file in place, as a file system or a person does it. */
export function harm(path: string, damage: Damage): void {
  const { size } = statSync(path);
  if (damage === "missing") rmSync(path);
  else if (damage === "emptied") truncateSync(path, 0);
  else if (damage === "halved") truncateSync(path, Math.floor(size / 2));
  else writeFileSync(path, Buffer.alloc(Math.max(size, 16), "garbage\n"));
}

/** The files directly in a folder, as they are now. The returned function brings them back, and removes what came since. */
export function keepFiles(folder: string): () => void {
  const safe = mkdtempSync(join(tmpdir(), "gantry-safe-"));
  const files = (): string[] => readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile());
  for (const name of files()) cpSync(join(folder, name), join(safe, name), { preserveTimestamps: true });
  return () => {
    for (const name of files()) if (!existsSync(join(safe, name))) rmSync(join(folder, name));
    for (const name of readdirSync(safe)) cpSync(join(safe, name), join(folder, name), { preserveTimestamps: true });
    rmSync(safe, { recursive: true });
  };
}

/** The only entry of a folder that a test has filled with one. */
export function onlyName(folder: string, isWanted: (path: string) => boolean = () => true): string {
  const names = readdirSync(folder).filter((name) => isWanted(join(folder, name)));
  const [name] = names;
  if (name === undefined || names.length > 1)
    throw new Error(`${folder} has ${names.join(", ") || "nothing"}, one ${basename(folder)} was expected`);
  return join(folder, name);
}
