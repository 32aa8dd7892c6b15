import type { MetadataStore } from "#drivers/metadata/store.ts";
import type { Clock } from "#lib/clock.ts";
import { EngineError, isKind, messageOf } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import { familiarReference, parseReference } from "#lib/reference.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { EventRecord } from "#types/record/event.ts";
import type { ImageLayerRecord, ImageRecord } from "#types/record/image.ts";
import type { EventBus } from "../../event/bus.ts";
import type { RemovedImage } from "../removal.ts";
import type { ImageService } from "../service.ts";
import { decide, type DiskFacts, type ImageFacts, type Verdict } from "./decide.ts";
import type { HousekeepingPolicy } from "./policy.ts";

export interface HousekeeperDependencies {
  readonly store: MetadataStore;
  readonly images: ImageService;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  /** The file system of the data root. */
  readonly disk: () => DiskFacts;
}

export interface HousekeepingPlan {
  readonly policy: HousekeepingPolicy;
  readonly disk: DiskFacts;
  readonly verdicts: readonly Verdict[];
}

const lookMilliseconds = 300_000;
/** After something that fills the disk; several of them at once are looked at once. */
const settleMilliseconds = 5000;
/** Uses are written down this often: a kill loses no more of them, and an image looks unused that much longer. */
const writeMilliseconds = 3_600_000;

const uses = new Set(["create", "start", "die"]);
const fillers = new Set(["pull", "load", "import", "commit"]);

/** Removes images by the policy when the disk fills up, and says what it would remove and why. */
export class Housekeeper {
  readonly #deps: HousekeeperDependencies;
  #policy: HousekeepingPolicy;
  /** Image id → milliseconds since 1970, not written down yet. */
  readonly #uses = new Map<string, number>();
  readonly #timers: ReturnType<typeof setInterval>[];
  readonly #unlisten: () => void;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<RemovedImage[]> | undefined;

  constructor(deps: HousekeeperDependencies, policy: HousekeepingPolicy) {
    this.#deps = deps;
    this.#policy = policy;
    this.#unlisten = deps.events.listen((event) => this.#see(event));
    this.#timers = [setInterval(() => void this.#look(), lookMilliseconds), setInterval(() => void this.#writeUses(), writeMilliseconds)];
    for (const timer of this.#timers) timer.unref();
  }

  configure(policy: HousekeepingPolicy): void {
    this.#policy = policy;
  }

  /** @param isForced  as if the disk were too full */
  plan(isForced = false): HousekeepingPlan {
    const disk = this.#deps.disk();
    const facts = this.#deps.images.list().map((image) => this.#facts(image));
    const verdicts = decide(facts, disk, this.#policy, { now: this.#now(), isForced });
    return { policy: this.#policy, disk, verdicts };
  }

  /** Removes what the plan says. Two at a time are one. @throws {EngineError} of the store */
  run(isForced = false): Promise<RemovedImage[]> {
    this.#running ??= this.#remove(isForced).finally(() => (this.#running = undefined));
    return this.#running;
  }

  async close(): Promise<void> {
    this.#unlisten();
    clearTimeout(this.#settling);
    for (const timer of this.#timers) clearInterval(timer);
    await this.#running?.catch(() => {});
    await this.#writeUses();
  }

  #see({ type, action, actorId }: EventRecord): void {
    if (type === "container" && uses.has(action)) {
      const imageId = this.#deps.store.table("container").get(actorId)?.imageId;
      if (imageId !== undefined) this.#uses.set(imageId, this.#now());
    }
    if (type !== "image" || !fillers.has(action)) return;
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      void this.#look();
    }, settleMilliseconds);
    this.#settling.unref();
  }

  async #look(): Promise<void> {
    if (!this.#policy.isEnabled) return;
    try {
      const removed = await this.run();
      const names = removed.flatMap((one) => ("Untagged" in one ? [one.Untagged] : []));
      if (removed.length > 0) this.#deps.log.info("images were removed, since the disk is filling up", { images: names });
    } catch (error) {
      this.#deps.log.warn("images could not be removed, though the disk is filling up", { error: messageOf(error) });
    }
  }

  async #remove(isForced: boolean): Promise<RemovedImage[]> {
    const removed: RemovedImage[] = [];
    for (const { image, decision } of this.plan(isForced).verdicts) {
      if (decision !== "remove") continue;
      try {
        removed.push(...(await this.#deps.images.remove(image.id, { force: true, prune: false }, (id) => this.#nobody(id))));
      } catch (error) {
        if (!isKind(error, "not_found", "conflict")) throw error; // somebody else has removed it, or uses it since
      }
    }
    return removed;
  }

  /** @throws {EngineError} `conflict`: a container has come meanwhile */
  #nobody(id: string): [] {
    const [user] = this.#usersOf(id);
    if (user !== undefined) throw new EngineError("conflict", `container ${user} needs the image`);
    return [];
  }

  #facts(image: ImageRecord): ImageFacts {
    const references = this.#deps.images.references(image.id).map(({ reference }) => parseReference(reference));
    const taggedAt = Number(BigInt(image.lastTaggedNano ?? "0") / 1_000_000n);
    return {
      id: image.id,
      tags: references.filter(({ digest }) => digest === undefined).map(familiarReference),
      isInRegistry: references.some(({ digest }) => digest !== undefined),
      parts: new Map(image.layers.flatMap(partsOf)),
      lastUsedAt: Math.max(taggedAt, image.lastUsedAt ?? 0, this.#uses.get(image.id) ?? 0),
      taggedAt,
      users: this.#usersOf(image.id),
    };
  }

  #usersOf(imageId: string): string[] {
    const needs = (record: ContainerRecord): boolean =>
      record.imageId === imageId || record.mounts.some(({ image }) => image?.id === imageId);
    return [...this.#deps.store.table("container").values()].filter(needs).map(({ name }) => name);
  }

  #writeUses(): Promise<void> {
    const seen = [...this.#uses];
    this.#uses.clear();
    return this.#deps.store.observe((transaction) => {
      for (const [id, lastUsedAt] of seen) {
        const image = this.#deps.images.peek(id);
        if (image) transaction.put("image", id, { ...image, lastUsedAt });
      }
    });
  }

  #now(): number {
    return Number(this.#deps.clock.nowNano() / 1_000_000n);
  }
}

/** What a layer has on disk. One that came uncompressed is its own blob. */
function partsOf({ chainId, diffId, sizeBytes, digest, compressedBytes }: ImageLayerRecord): [string, number][] {
  const blob: [string, number][] = digest === diffId ? [] : [[digest, compressedBytes]];
  return [[chainId, sizeBytes], ...blob];
}
