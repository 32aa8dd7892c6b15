import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { MetadataStore } from "#drivers/metadata/store.ts";
import { chainIds } from "#drivers/snapshot/chain-id.ts";
import { KeyedMutex } from "#lib/async.ts";
import { formatTimeNano, type Clock } from "#lib/clock.ts";
import { parseDigest, sha256, type Digest } from "#lib/digest.ts";
import { EngineError, isKind } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import { familiarReference, type Reference } from "#lib/reference.ts";
import type { ContainerConfig } from "#types/engine-api/index.ts";
import { mediaTypes } from "#types/oci/image.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { EventBus } from "../../event/bus.ts";
import { mergeImageConfig } from "../../container/image-config.ts";
import { applyChanges } from "../changes/apply.ts";
import type { ImageTransferDependencies } from "../dependencies.ts";
import { importLayer } from "../import-layer.ts";
import type { ImageLease } from "../leases.ts";
import { makeManifest } from "../make-manifest.ts";
import { parseImageConfig } from "../parse-config.ts";
import { imageRecord, storeBlob, type IncomingLayer } from "../store-image.ts";
import { madeConfig } from "./made-config.ts";

/** What a commit needs of containers. */
export interface CommitContainers {
  find(name: string): ContainerRecord;
  pause(name: string): Promise<void>;
  unpause(name: string): Promise<void>;
}

export interface CommitDependencies extends ImageTransferDependencies {
  readonly store: MetadataStore;
  readonly containers: CommitContainers;
  /** The folder with what a container has written. */
  readonly openUpper: (record: ContainerRecord) => Promise<string>;
  readonly attributes: (record: ContainerRecord) => Readonly<Record<string, string>>;
  readonly events: EventBus;
  readonly clock: Clock;
}

export interface CommitRequest {
  /** Name, id or prefix of the container. */
  readonly container: string;
  readonly reference: Reference | undefined;
  readonly comment: string;
  readonly author: string;
  /** The container is frozen while its files are read. */
  readonly pauses: boolean;
  readonly changes: readonly string[];
  /** Instead of the container's own. */
  readonly config: ContainerConfig | undefined;
}

/** Containers made into images: what a container has written becomes a layer on those of its image. */
export class ImageCommits {
  readonly #deps: CommitDependencies;
  readonly #locks = new KeyedMutex();

  constructor(deps: CommitDependencies) {
    this.#deps = deps;
  }

  /**
   * @returns the id of the image
   * @throws {EngineError} `not_found`, `invalid` with Docker's texts; `conflict` when the container is removed meanwhile, `unavailable` when
   * the disk is full
   */
  async commit(request: CommitRequest, signal: AbortSignal): Promise<Digest> {
    const { id } = this.#deps.containers.find(request.container);
    // One at a time: the first to end would thaw the container for the others.
    return this.#locks.run(id, async () => {
      const record = this.#committable(id, request.container);
      const config = changedConfig(record.config, request);
      await using undo = new AsyncDisposableStack();
      if (request.pauses && record.state.status === "running") {
        await this.#mark(id, true);
        undo.defer(() => this.#thaw(id));
        await this.#deps.containers.pause(id);
      }
      const imageId = await this.#makeImage(record, request, config, signal);
      const { comment, reference } = request;
      this.#deps.events.emit("container", "commit", id, {
        ...this.#deps.attributes(record),
        comment,
        imageID: imageId,
        imageRef: reference ? familiarReference(reference) : "",
      });
      return imageId;
    });
  }

  #committable(id: string, shownName: string): ContainerRecord {
    const record = this.#deps.containers.find(id);
    if (record.state.status === "dead") throw new EngineError("conflict", `You cannot commit container ${shownName} which is Dead`);
    if (record.state.status === "removing")
      throw new EngineError("conflict", `You cannot commit container ${shownName} which is being removed`);
    return record;
  }

  /** After a restart of the daemon: what the one before has paused goes on. */
  async takeUp(): Promise<void> {
    const paused = [...this.#deps.store.table("container").values()].filter(({ isPausedForCommit }) => isPausedForCommit);
    for (const { id } of paused) await this.#thaw(id);
  }

  /** It may have ended, or have been thawed by somebody else. */
  async #thaw(id: string): Promise<void> {
    try {
      await this.#deps.containers.unpause(id);
    } catch (error) {
      if (!isKind(error, "conflict", "not_found")) throw error;
    }
    await this.#mark(id, false);
  }

  async #mark(id: string, isPaused: boolean): Promise<void> {
    const record = this.#deps.store.table("container").get(id);
    if (!record) return; // removed meanwhile
    const { isPausedForCommit: _before, ...rest } = record;
    await this.#deps.store.update((transaction) =>
      transaction.put("container", id, { ...rest, ...(isPaused && { isPausedForCommit: true }) }),
    );
  }

  async #makeImage(record: ContainerRecord, request: CommitRequest, config: ContainerConfig, signal: AbortSignal): Promise<Digest> {
    const { images, content, clock } = this.#deps;
    const lease = images.leases.open();
    try {
      const below = this.#layersBelow(record, lease);
      const base = images.config(record.imageId);
      const layer = await this.#takeLayer(record, lease, signal);
      const bytes = madeConfig({
        created: formatTimeNano(clock.nowNano()),
        author: request.author,
        comment: request.comment,
        config,
        container: record,
        base,
        ...(layer && { diffId: layer.diffId }),
      });
      const id = sha256(bytes);
      const layers = layer ? [...below, layer] : below;
      const manifest = makeManifest({ id, bytes }, layers);
      await storeBlob(content, lease, id, bytes);
      await storeBlob(content, lease, manifest.digest, manifest.bytes);
      signal.throwIfAborted();
      const parsed = parseImageConfig(bytes);
      const image = await imageRecord(this.#deps, {
        ...{ id, config: parsed, layers },
        manifestDigest: manifest.digest,
        manifestMediaType: manifest.mediaType,
      });
      await images.addMade({ ...image, parent: record.imageId }, parsed, request.reference, "commit");
      return id;
    } finally {
      await images.release(lease);
    }
  }

  /** Those of the container's image, which stay while this lasts. @throws {EngineError} `not_found` when it has been removed by force */
  #layersBelow({ imageId }: ContainerRecord, lease: ImageLease): IncomingLayer[] {
    const { layers } = this.#deps.images.find(imageId);
    const diffIds = layers.map(({ diffId }) => parseDigest(diffId));
    return layers.map(({ diffId, chainId, digest, compressedBytes, mediaType }, index) => {
      lease.hold(chainId);
      lease.hold(digest);
      return {
        ...{ diffId: parseDigest(diffId), chainId: parseDigest(chainId), digest: parseDigest(digest), compressedBytes, mediaType },
        parents: diffIds.slice(0, index),
      };
    });
  }

  /** What the container has written, as a layer; undefined when that is nothing. */
  async #takeLayer(record: ContainerRecord, lease: ImageLease, signal: AbortSignal): Promise<IncomingLayer | undefined> {
    const { content, snapshots, openUpper } = this.#deps;
    const parents = record.layers.map(parseDigest);
    const path = join(await content.temporaryFolder(), `commit-${randomId()}`);
    try {
      const upper = await openUpper(record);
      const { diffId, sizeBytes } = await snapshots.writeDiff(upper, parents, path, signal);
      // A removal that has begun may have taken files away before they were read.
      this.#committable(record.id, record.name);
      if (diffId === emptyLayer) return undefined;
      const chainId = chainIds([...parents, diffId]).at(-1) ?? diffId;
      const layer = { diffId, chainId, parents };
      await importLayer(this.#deps, { layer, lease, source: { path, isGiven: true } }, signal);
      return { ...layer, digest: diffId, compressedBytes: sizeBytes, mediaType: mediaTypes.ociLayer };
    } finally {
      await rm(path, { force: true });
    }
  }
}

/** Digest of an archive without entries. */
const emptyLayer = parseDigest("sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef");

function changedConfig(own: ContainerConfig, { config, changes }: CommitRequest): ContainerConfig {
  const changed = applyChanges(config ?? own, changes);
  return mergeImageConfig(changed, asImageConfig(own));
}

/** Without what is null, as the config of an image is. */
function asImageConfig(config: ContainerConfig): Parameters<typeof mergeImageConfig>[1] {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, Healthcheck } = config;
  return {
    ...(User !== undefined && { User }),
    ...(ExposedPorts && { ExposedPorts }),
    ...(Env && { Env }),
    ...(Entrypoint && { Entrypoint }),
    ...(Cmd && { Cmd }),
    ...(Volumes && { Volumes }),
    ...(WorkingDir !== undefined && { WorkingDir }),
    ...(Labels && { Labels }),
    ...(StopSignal && { StopSignal }),
    ...(Healthcheck && { Healthcheck: { ...Healthcheck, Test: Healthcheck.Test ?? [] } }),
  };
}
