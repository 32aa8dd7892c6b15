import { rm } from "node:fs/promises";
import { EngineError } from "#lib/errors.ts";
import type { IngestedLayer } from "./helper-protocol.ts";

/** A layer that has been read and is not in the store yet: nobody has said what it stands on. Disposal removes it unless it was taken. */
export class StagedLayer implements AsyncDisposable {
  readonly layer: IngestedLayer;
  readonly #folder: string;
  #isTaken = false;

  /** @param folder  has what the ingest of the layer wrote, and belongs to this */
  constructor(layer: IngestedLayer, folder: string) {
    this.layer = layer;
    this.#folder = folder;
  }

  /** The folder now belongs to the caller. @throws {EngineError} `internal` the second time */
  take(): string {
    if (this.#isTaken) throw new EngineError("internal", "a staged layer can be taken in only once");
    this.#isTaken = true;
    return this.#folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isTaken) await rm(this.#folder, { recursive: true, force: true });
  }
}
