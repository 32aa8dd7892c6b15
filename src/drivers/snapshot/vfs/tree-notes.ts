import { readdirSync, readFileSync, rmSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDigest, sha256 } from "#lib/digest.ts";
import type { ChainId } from "../types.ts";

/** What the kernel's list of mounts does not tell of a tree that is no overlay. */
export interface TreeNote {
  readonly target: string;
  /** Its top layer; null when it has none. */
  readonly top: ChainId | null;
}

/** Notes in files of which layers stand below copied trees, while those are mounted. They need not outlive the machine: mounts do not either. */
export class TreeNotes {
  readonly #folder: string;
  readonly #targets = new Set<string>();

  /** @param folder  exists */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Those of an earlier daemon. What is not mounted any more is forgotten. */
  takeUp(isMounted: (target: string) => boolean): TreeNote[] {
    return readdirSync(this.#folder).flatMap((name) => {
      const file = join(this.#folder, name);
      const note = parseNote(readFileSync(file, "utf8"));
      if (note && isMounted(note.target)) {
        this.#targets.add(note.target);
        return [note];
      }
      rmSync(file, { force: true });
      return [];
    });
  }

  /** Before the mount: one that is mounted is always known. */
  async add(note: TreeNote): Promise<void> {
    this.#targets.add(note.target);
    await writeFile(this.#file(note.target), JSON.stringify(note), { mode: 0o600 });
  }

  /** After the unmount; success for what was never noted. */
  async remove(target: string): Promise<void> {
    if (this.#targets.delete(target)) await rm(this.#file(target), { force: true });
  }

  #file(target: string): string {
    return join(this.#folder, sha256(target).slice("sha256:".length, "sha256:".length + 32));
  }
}

/** Undefined for one that a kill has cut: its tree was not mounted. */
function parseNote(text: string): TreeNote | undefined {
  try {
    const { target, top } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (typeof target !== "string") return undefined;
    if (top === null) return { target, top };
    return typeof top === "string" && isDigest(top) ? { target, top } : undefined;
  } catch {
    return undefined;
  }
}
