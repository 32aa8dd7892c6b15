import type { StagedLayer } from "#drivers/snapshot/staged-layer.ts";
import { isDigest } from "#lib/digest.ts";
import type { LargeMember } from "./archive/member-files.ts";
import type { ImageTransferDependencies } from "./dependencies.ts";

/**
 * Reads the large files of an archive as layers while the rest of it still comes: only its documents, which may come last, tell what is a
 * layer, and on what it stands. What was read for nothing goes with the disposal.
 */
export class EarlyLayers implements AsyncDisposable {
  readonly #deps: Pick<ImageTransferDependencies, "content" | "snapshots">;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** By the path of their file. */
  readonly #running = new Map<string, Promise<StagedLayer | undefined>>();

  constructor(deps: Pick<ImageTransferDependencies, "content" | "snapshots">, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  begin({ name, path }: LargeMember): void {
    const reading = this.#read(name, path);
    reading.catch(() => {}); // told to whoever wants it as a layer
    this.#running.set(path, reading);
  }

  /**
   * The layer in a file, once; undefined when it was not read.
   * @throws {EngineError} as the snapshotter's `stageLayer`
   */
  async take(path: string): Promise<StagedLayer | undefined> {
    const reading = this.#running.get(path);
    this.#running.delete(path);
    return reading;
  }

  async #read(name: string, path: string): Promise<StagedLayer | undefined> {
    const { content, snapshots } = this.#deps;
    // By its name in a layout it is here already: as the tar of a layer, or as a blob that was kept with one.
    const claimed = /^blobs\/([a-z0-9]+)\/([0-9a-f]+)$/.exec(name);
    const digest = claimed && `${claimed[1]}:${claimed[2]}`;
    if (digest && isDigest(digest) && ((await snapshots.layerTar(digest)) ?? (await content.info(digest)))) return undefined;
    return snapshots.stageLayer({ path, isGiven: true }, this.#signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const reading of this.#running.values()) await (await reading.catch(() => undefined))?.[Symbol.asyncDispose]();
  }
}
