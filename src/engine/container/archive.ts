import { ArchiveHelpers, type PackedArchive } from "#drivers/archive/helpers.ts";
import type { PathStat } from "#drivers/archive/protocol.ts";
import { readFromRootfs } from "#drivers/snapshot/read-in-root.ts";
import type { FileChange } from "#drivers/snapshot/types.ts";
import { deferred } from "#lib/async.ts";
import { messageOf } from "#lib/errors.ts";
import { parseDigest } from "#lib/digest.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { openRootView, openView, type ArchiveDependencies, type ContainerView } from "./archive-view.ts";
import { containerAttributes } from "./create.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { openUpper } from "./rootfs.ts";
import { resolveUser } from "./user.ts";

export type { FileChange, PackedArchive, PathStat };

export interface ExtractOptions {
  readonly noOverwriteDirNonDir: boolean;
  /** Everything belongs to the user of the container then. */
  readonly copyUidGid: boolean;
}

/** Files of containers, from outside: copies in and out, exports, changes. Running, paused, stopped and new ones alike. */
export class ContainerArchives {
  readonly #deps: ArchiveDependencies & Pick<ContainerDependencies, "events" | "log">;
  readonly #helpers = new ArchiveHelpers();
  readonly #views = new OpenViews();

  constructor(deps: ArchiveDependencies & Pick<ContainerDependencies, "events" | "log">) {
    this.#deps = deps;
  }

  /** @throws {EngineError} `not_found`, `invalid` with Docker's texts */
  async stat(name: string, path: string, signal: AbortSignal): Promise<PathStat> {
    const record = this.#deps.containers.find(name);
    await using view = await this.#views.open(openView(this.#deps, record));
    return await this.#helpers.stat({ operation: "stat", tree: view.tree, path, container: name }, signal);
  }

  /** @throws {EngineError} `not_found`, `invalid` with Docker's texts */
  async read(name: string, path: string, signal: AbortSignal): Promise<PackedArchive> {
    const record = this.#deps.containers.find(name);
    const view = await this.#views.open(openView(this.#deps, record));
    const packed = await this.#helpers.pack(
      { operation: "pack", tree: view.tree, path, container: name },
      signal,
      this.#done(view, record),
    );
    this.#emit(record, "archive-path");
    return packed;
  }

  /** @throws {EngineError} `forbidden` when the place is read-only (A14), `not_found`, `invalid`, `unavailable` for a full disk */
  async extract(
    name: string,
    path: string,
    options: ExtractOptions,
    archive: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    const record = this.#deps.containers.find(name);
    await using view = await this.#views.open(openView(this.#deps, record));
    const owner = options.copyUidGid && record.config.User ? ownerOf(record.config.User, view) : undefined;
    await this.#helpers.extract(
      {
        operation: "extract",
        tree: view.tree,
        path,
        container: name,
        keepKinds: options.noOverwriteDirNonDir,
        ...(owner && { owner }),
      },
      archive,
      signal,
    );
    this.#emit(record, "extract-to-dir");
  }

  /** The whole root file system as an archive, without what is mounted in it. */
  async export(name: string, signal: AbortSignal): Promise<PackedArchive> {
    const record = this.#deps.containers.find(name);
    const view = await this.#views.open(openRootView(this.#deps, record));
    const packed = await this.#helpers.pack({ operation: "export", tree: view.tree }, signal, this.#done(view, record));
    this.#emit(record, "export");
    return packed;
  }

  /** What the container has changed of its image. */
  async changes(name: string, signal: AbortSignal): Promise<readonly FileChange[]> {
    const record = this.#deps.containers.find(name);
    const upper = await openUpper(this.#deps, record);
    return this.#deps.snapshots.withLayers(record.layers.map(parseDigest), (lowers) =>
      this.#helpers.changes({ operation: "changes", upper, lowers }, signal),
    );
  }

  /** Ends all copies; resolves when nothing of a container is held any more. */
  async close(): Promise<void> {
    await this.#helpers.close();
    await this.#views.closed();
  }

  /** The client has its answer by then: what fails is logged. */
  #done(view: ContainerView, record: ContainerRecord): () => Promise<void> {
    return async () => {
      try {
        await view[Symbol.asyncDispose]();
      } catch (error) {
        this.#deps.log.error("what a copy used could not be given back", { container: record.id, error: messageOf(error) });
      }
    };
  }

  #emit(record: ContainerRecord, action: string): void {
    this.#deps.events.emit("container", action, record.id, containerAttributes(record));
  }
}

/** Views that are in use. */
class OpenViews {
  readonly #open = new Set<Promise<void>>();

  async open(opening: Promise<ContainerView>): Promise<ContainerView> {
    const { tree, [Symbol.asyncDispose]: giveBack } = await opening;
    const { promise, resolve } = deferred<void>();
    this.#open.add(promise);
    const dispose = async (): Promise<void> => {
      try {
        await giveBack();
      } finally {
        this.#open.delete(promise);
        resolve();
      }
    };
    return { tree, [Symbol.asyncDispose]: dispose };
  }

  async closed(): Promise<void> {
    await Promise.all(this.#open);
  }
}

/** By the container's own files. */
function ownerOf(user: string, { tree }: ContainerView): { uid: number; gid: number } {
  const [passwd = "", group = ""] = readFromRootfs(tree.rootfs, ["etc/passwd", "etc/group"]);
  const { uid, gid } = resolveUser(user, [], passwd, group);
  return { uid, gid };
}
