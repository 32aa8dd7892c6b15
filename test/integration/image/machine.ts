import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileContentStore } from "#drivers/content/store.ts";
import { RegistryClient } from "#drivers/distribution/client.ts";
import type { RegistrySettings } from "#drivers/distribution/types.ts";
import { MetadataStore } from "#drivers/metadata/store.ts";
import { openSnapshotter } from "#drivers/snapshot/probe.ts";
import { EventBus } from "#engine/event/bus.ts";
import { LayerTransfers, type PullDependencies, type PushDependencies } from "#engine/image/dependencies.ts";
import { loadImages, type LoadOptions } from "#engine/image/load.ts";
import type { ImageProgress } from "#engine/image/progress.ts";
import { pullImage, type PullRequest } from "#engine/image/pull.ts";
import { pushImage, type PushRequest } from "#engine/image/push.ts";
import { ImageService } from "#engine/image/service.ts";
import { silentLogger } from "#lib/log.ts";
import { parseReference, withDefaultTag } from "#lib/reference.ts";
import { Kernel } from "#os/kernel.ts";
import { readMounts } from "#os/mount.ts";

export type Machine = Awaited<ReturnType<typeof openMachine>>;

/** The real stores and the real snapshotter on a folder of their own: everything of the engine that images pass through. */
export async function openMachine(settings: RegistrySettings & { readonly contentKilobytes?: number } = {}) {
  const root = mkdtempSync(join(tmpdir(), "gantry-image-"));
  const kernel = new Kernel();
  const store = await MetadataStore.open(join(root, "gantry.db"), silentLogger);
  if (settings.contentKilobytes) await mountSmall(join(root, "content"), settings.contentKilobytes);
  const content = await FileContentStore.open(join(root, "content"), silentLogger);
  const snapshots = await openSnapshotter({ layers: join(root, "layers") }, kernel, silentLogger);
  const events = new EventBus(store);
  const images = await ImageService.open({ store, content, snapshots, events, log: silentLogger });
  const registries = new RegistryClient(settings);
  const deps: PullDependencies & PushDependencies = { images, content, snapshots, events, transfers: new LayerTransfers(), registries };
  const never = new AbortController().signal;
  return {
    deps,
    images,
    content,
    snapshots,
    root,
    store,
    /** Pulls, and gives the messages; those before a failure are in `messages` when given. */
    async pull(name: string, options: Omit<PullRequest, "reference"> & { signal?: AbortSignal; messages?: ImageProgress[] } = {}) {
      const { signal = never, messages = [], ...request } = options;
      const reference = withDefaultTag(parseReference(name));
      await pullImage(deps, { ...request, reference }, (message) => messages.push(message), signal);
      return messages;
    },
    /** Pushes; without a tag in the name all tags. */
    async push(name: string, options: Omit<PushRequest, "reference"> & { signal?: AbortSignal; messages?: ImageProgress[] } = {}) {
      const { signal = never, messages = [], ...request } = options;
      await pushImage(deps, { ...request, reference: parseReference(name) }, (message) => messages.push(message), signal);
      return messages;
    },
    async load(archive: Uint8Array | AsyncIterable<Uint8Array>, options: Partial<LoadOptions> & { signal?: AbortSignal } = {}) {
      const { signal = never, quiet = false, ...rest } = options;
      const messages: ImageProgress[] = [];
      const body = archive instanceof Uint8Array ? inPieces(archive) : archive;
      await loadImages(deps, body, { ...rest, quiet }, (message) => messages.push(message), signal);
      return messages;
    },
    /** Files in folders that must be empty when nothing runs, and blobs and layers that no image names. */
    async leftovers(): Promise<string[]> {
      const temporary = (): string[] =>
        [content.temporary, join(root, "content/removed"), join(root, "layers/tmp")].flatMap((folder) =>
          readdirSync(folder).map((name) => join(folder, name)),
        );
      // Removed archives go after the answer.
      for (let waited = 0; waited < 2000 && temporary().length > 0; waited += 5) await Bun.sleep(5);
      const names = temporary();
      const known = new Set(
        images
          .list()
          .flatMap(({ id, manifestDigest, layers, referrers = [] }) => [
            ...[id, manifestDigest, ...images.references(id).map(({ targetDigest }) => targetDigest)],
            ...layers.flatMap((layer) => [layer.digest, layer.chainId]),
            ...referrers.flatMap(({ digest, blobs }) => [digest, ...blobs.map((blob) => blob.digest)]),
          ]),
      );
      for await (const { digest } of content.list()) if (!known.has(digest)) names.push(digest);
      for (const chainId of await snapshots.layers()) if (!known.has(chainId)) names.push(chainId);
      return names;
    },
    async [Symbol.asyncDispose]() {
      await store.close();
      // Layers stay mounted while they are there: the folder goes with them.
      for (const mount of readMounts()) if (mount.target.startsWith(`${root}/`)) await kernel.run({ type: "umount", target: mount.target });
      await kernel.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A file system that is full soon. */
async function mountSmall(folder: string, kilobytes: number): Promise<void> {
  mkdirSync(folder);
  const code = await Bun.spawn(["mount", "-t", "tmpfs", "-o", `size=${kilobytes}k`, "gantry-image", folder]).exited;
  if (code !== 0) throw new Error("mount of a small file system failed");
}

/** As a socket gives a body: in pieces that end anywhere. */
async function* inPieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 10_007) yield bytes.subarray(at, at + 10_007);
}

/** Steps with a bar that moves. */
const moving = new Set(["Downloading", "Extracting", "Pushing"]);

/** What clients are shown, one line for each message, without bars. */
export function lines(messages: readonly ImageProgress[]): string[] {
  return messages
    .filter(({ status = "", progress, aux }) => !moving.has(status) && !(status === "Preparing" && progress !== undefined) && !aux)
    .map(({ id, status = "", stream }) => stream?.trimEnd() ?? (id ? `${id}: ${status}` : status));
}
