import { closeSync, fchmodSync, ftruncateSync, futimesSync, writeSync } from "node:fs";
import { posix } from "node:path";
import type { TarEntry, TarHandler } from "#lib/tar/entry.ts";
import { splitPath } from "#lib/tar/path.ts";
import { SparseWriter } from "#lib/tar/sparse-writer.ts";
import { TarReader } from "#lib/tar/reader.ts";
import { ExitError } from "../../errors.ts";
import type { CopyPlan } from "./copy-info.ts";
import { LocalDirectory } from "./local-directory.ts";

/** Unpacks what a daemon has sent. Whatever the archive says, nothing outside the destination is made, changed or removed (E17). */
export async function unpackInto(archive: AsyncIterable<Uint8Array>, plan: CopyPlan): Promise<void> {
  using folder = LocalDirectory.openPath(plan.folder);
  using unpacking = new Unpacking(folder, plan);
  const reader = new TarReader(unpacking);
  for await (const chunk of archive) reader.push(chunk);
  reader.finish();
  unpacking.finish();
}

const nodeTypes = { fifo: 0o010000, character: 0o020000, block: 0o060000 } as const;

class Unpacking implements TarHandler, Disposable {
  readonly #folder: LocalDirectory;
  readonly #plan: CopyPlan;
  /** Times of directories, set at the end: their content changes them. */
  readonly #times: { readonly parts: readonly string[]; readonly seconds: number }[] = [];
  #file: { readonly descriptor: number; readonly writer: SparseWriter } | undefined;

  constructor(folder: LocalDirectory, plan: CopyPlan) {
    this.#folder = folder;
    this.#plan = plan;
  }

  entry(entry: TarEntry): void {
    const parts = this.#partsOf(entry, entry.path);
    const name = parts.at(-1);
    if (name === undefined) return; // the destination itself stays as it is
    this.#inFolder(parts.slice(0, -1), true, (parent) => {
      this.#makeRoom(parent, name, entry);
      this.#make(parent, name, parts, entry);
    });
  }

  data(chunk: Uint8Array): void {
    this.#file?.writer.write(chunk);
  }

  end(entry: TarEntry): void {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    try {
      ftruncateSync(file.descriptor, entry.sizeBytes);
      fchmodSync(file.descriptor, entry.mode);
      futimesSync(file.descriptor, entry.modified.seconds, entry.modified.seconds);
    } finally {
      closeSync(file.descriptor);
    }
  }

  finish(): void {
    for (const { parts, seconds } of this.#times)
      this.#inFolder(parts.slice(0, -1), false, (parent) => parent.setTime(parts.at(-1) ?? ".", seconds));
  }

  [Symbol.dispose](): void {
    if (this.#file) closeSync(this.#file.descriptor);
  }

  /** Names in the destination. Where a name was chosen by the user, an archive has no other one. */
  #partsOf(entry: TarEntry, path: string): string[] {
    const renamed = this.#plan.renames.reduce((name, { from, to }) => name.replace(bytesOf(from), () => bytesOf(to)), path);
    const normal = posix.normalize(renamed.replace(/^\/+/, ""));
    if (normal === ".." || normal.startsWith("../")) throw outside(entry);
    const parts = splitPath(normal, entry.dataOffset);
    if (this.#plan.base !== undefined && parts[0] !== bytesOf(this.#plan.base)) throw outside(entry);
    return parts;
  }

  #inFolder(parts: readonly string[], make: boolean, body: (folder: LocalDirectory) => void): void {
    const [first, ...rest] = parts;
    if (first === undefined) return body(this.#folder);
    const opened: LocalDirectory[] = [];
    try {
      let at = this.#folder;
      for (const part of [first, ...rest]) {
        const next = at.open(part) ?? (make ? madeDirectory(at, part) : undefined);
        if (!next) return;
        opened.push(next);
        at = next;
      }
      body(at);
    } finally {
      for (const folder of opened) folder[Symbol.dispose]();
    }
  }

  #makeRoom(parent: LocalDirectory, name: string, entry: TarEntry): void {
    const existing = parent.stat(name);
    if (!existing) return;
    const wantsDirectory = entry.type === "directory";
    if (existing.isDirectory() && wantsDirectory) return;
    if (existing.isDirectory() !== wantsDirectory) {
      const [is, becomes] = wantsDirectory ? ["non-directory", "directory"] : ["directory", "non-directory"];
      throw new ExitError(1, `cannot overwrite ${is} ${quoted(entry.path)} with ${becomes} ${JSON.stringify(this.#plan.folder)}`);
    }
    parent.remove(name);
  }

  #make(parent: LocalDirectory, name: string, parts: readonly string[], entry: TarEntry): void {
    const { seconds } = entry.modified;
    switch (entry.type) {
      case "file":
        return this.#beginFile(parent.createFile(name), entry);
      case "directory":
        if (!parent.stat(name)) parent.makeDirectory(name);
        parent.setMode(name, entry.mode);
        this.#times.push({ parts, seconds });
        return;
      case "symlink":
        parent.makeSymlink(name, entry.link);
        return parent.setTime(name, seconds);
      case "hardlink":
        return this.#makeLink(parent, name, entry);
      case "fifo":
      case "character":
      case "block":
        parent.makeNode(name, nodeTypes[entry.type] | 0o600, { major: entry.deviceMajor, minor: entry.deviceMinor });
        parent.setMode(name, entry.mode);
        return parent.setTime(name, seconds);
    }
  }

  #beginFile(descriptor: number, entry: TarEntry): void {
    this.#file = { descriptor, writer: new SparseWriter(descriptor, entry, writeSync) };
  }

  #makeLink(parent: LocalDirectory, name: string, entry: TarEntry): void {
    const target = this.#partsOf(entry, entry.link);
    const base = target.pop();
    if (base === undefined) throw outside(entry);
    this.#inFolder(target, false, (holder) => parent.makeLink(name, holder, base));
  }
}

/** What stands on the way is no directory: a link of the archive's perhaps, behind which something else lies. */
function madeDirectory(parent: LocalDirectory, name: string): LocalDirectory {
  if (parent.stat(name)) throw new ExitError(1, `refusing to write through ${quoted(name)}: it is no directory`);
  parent.makeDirectory(name);
  const made = parent.open(name);
  if (!made) throw new ExitError(1, `${quoted(name)} was replaced while it was written to`);
  return made;
}

function outside(entry: TarEntry): ExitError {
  return new ExitError(1, `refusing ${quoted(entry.path)} of the archive: it is outside of the destination`);
}

const bytesOf = (text: string): string => Buffer.from(text).toString("latin1");

function quoted(bytes: string): string {
  return JSON.stringify(Buffer.from(bytes, "latin1").toString());
}
