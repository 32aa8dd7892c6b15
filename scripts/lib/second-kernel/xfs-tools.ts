import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { dependenciesOf, unpack } from "./debian-packages.ts";

const folder = resolve(import.meta.dir, "../../../node_modules/.cache/xfs-tools");
/** Libraries of mkfs.xfs that not every host has. Their packages have had several names. */
const rareLibrary = /^lib(inih|urcu)\d/;

/** @returns a folder with mkfs.xfs that runs where nothing is installed; an empty one where there is none to be had, and tests of XFS are skipped */
export async function ensureXfsTools(): Promise<string> {
  const tools = `${folder}/tools`;
  if (Bun.which("mkfs.xfs", { PATH: "/usr/sbin:/sbin" }) !== null || existsSync(tools)) return tools;
  console.error("Fetching from the distribution, into node_modules/.cache, for these tests alone:");
  console.error("  xfsprogs         makes file systems with project quotas");
  try {
    await unpackTools(`${folder}.new`);
  } catch (error) {
    console.error(`Without it: ${error instanceof Error ? error.message : String(error)}`);
  }
  return tools;
}

async function unpackTools(work: string): Promise<void> {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(`${work}/tools`, { recursive: true });
  await unpack(["xfsprogs", ...(await dependenciesOf("xfsprogs")).filter((name) => rareLibrary.test(name))], work);
  const program = ["sbin/mkfs.xfs", "usr/sbin/mkfs.xfs"].find((path) => existsSync(`${work}/${path}`));
  if (program === undefined) throw new Error("The package xfsprogs has no mkfs.xfs where it is looked for.");
  const libraries = [...new Bun.Glob("**/lib*.so.*").scanSync({ cwd: work })].map((path) => path.slice(0, path.lastIndexOf("/")));
  const path = [...new Set(libraries)].map((library) => `${folder}/${library}`).join(":");
  writeFileSync(`${work}/tools/mkfs.xfs`, `#!/bin/sh\nLD_LIBRARY_PATH=${path} exec ${folder}/${program} "$@"\n`, { mode: 0o755 });
  renameSync(work, folder);
}
