import { open, type FileHandle } from "node:fs/promises";
import { deferred } from "#lib/async.ts";
import type { Digest } from "#lib/digest.ts";

/** What is known of a blob when all of it is written. */
export interface WholeBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** A blob in a file, which may still be written to: what is there can be sent already. */
export class UploadSource {
  #path: string | undefined;
  #writtenBytes = 0;
  #whole: WholeBlob | undefined;
  #failure: { readonly error: unknown } | undefined;
  #changed = deferred<void>();

  /** One that is all there. */
  static whole(path: string, blob: WholeBlob): UploadSource {
    const source = new UploadSource();
    source.finish(path, blob);
    return source;
  }

  /** Until its writer has finished: undefined. */
  get wholeBlob(): WholeBlob | undefined {
    return this.#whole;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** For the writer: the file has so many bytes by now. */
  wrote(path: string, writtenBytes: number): void {
    if (this.#whole) return;
    this.#path = path;
    this.#writtenBytes = writtenBytes;
    this.#change();
  }

  /** For the writer: nothing is added any more. @param path  where the file is, or will be at once */
  finish(path: string, blob: WholeBlob): void {
    this.#path = path;
    this.#writtenBytes = blob.sizeBytes;
    this.#whole = blob;
    this.#change();
  }

  /** For the writer: there will be no blob. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#change();
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** Returns when there is something behind `position`, or nothing will be. @throws what the writer has failed with */
  async grown(position: number): Promise<void> {
    for (;;) {
      this.throwIfFailed();
      if (this.#whole || this.#writtenBytes > position) return;
      await this.#changed.promise;
    }
  }

  /** Opens the file, wherever it is by then: it stays the same one when it gets its last name. */
  async open(): Promise<FileHandle> {
    await this.grown(0);
    const path = this.#path ?? "";
    return open(path, "r").catch(async (error: unknown) => {
      if (this.#whole && path === this.#path) throw error;
      while (!this.#whole) await this.grown(this.#writtenBytes);
      return open(this.#path ?? path, "r");
    });
  }

  #change(): void {
    const { resolve } = this.#changed;
    this.#changed = deferred<void>();
    resolve();
  }
}
