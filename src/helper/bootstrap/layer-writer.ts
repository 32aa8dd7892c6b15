import { closeSync, openSync, writeSync } from "node:fs";
import { encodeHead, endOfArchive, paddingBytes, type TarEntryHead } from "#lib/tar/encode.ts";

/** A finished layer on disk. */
export interface LayerFile {
  readonly path: string;
  readonly diffId: string;
  readonly sizeBytes: number;
}

/**
 * Writes an uncompressed tar to a file and hashes it on the way. The same entries in the same order make the same bytes. Blocking: for a
 * process of its own.
 */
export class LayerWriter implements Disposable {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #hasher = new Bun.CryptoHasher("sha256");
  #sizeBytes = 0;
  #open = true;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = openSync(path, "wx", 0o600);
  }

  /** Begins an entry; exactly `head.sizeBytes` bytes of data must follow, then `end`. Names and times of users are left out. */
  begin(head: TarEntryHead): void {
    this.#write(encodeHead({ ...head, modified: { seconds: head.modified.seconds, nanoseconds: 0 } }));
  }

  data(chunk: Uint8Array): void {
    this.#write(chunk);
  }

  end(sizeBytes: number): void {
    this.#write(Buffer.alloc(paddingBytes(sizeBytes)));
  }

  /** One whole entry. */
  add(head: Omit<TarEntryHead, "sizeBytes">, content: Uint8Array = new Uint8Array(0)): void {
    this.begin({ ...head, sizeBytes: content.length });
    this.data(content);
    this.end(content.length);
  }

  finish(): LayerFile {
    this.#write(endOfArchive);
    this[Symbol.dispose]();
    return { path: this.#path, diffId: `sha256:${this.#hasher.digest("hex")}`, sizeBytes: this.#sizeBytes };
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }

  #write(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
    this.#sizeBytes += bytes.length;
    for (let written = 0; written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
  }
}
