import type { HousekeepingPolicy } from "./policy.ts";

/** What a decision about an image needs to know. */
export interface ImageFacts {
  readonly id: string;
  /** `repository:tag` in familiar form. */
  readonly tags: readonly string[];
  /** A registry is known to have it. */
  readonly isInRegistry: boolean;
  /** What it has on disk: layers and blobs, with their bytes; shared ones have the same name in every image. */
  readonly parts: ReadonlyMap<string, number>;
  /** Milliseconds since 1970: a container made, started or ended from it, or a tag put on it. */
  readonly lastUsedAt: number;
  /** Milliseconds since 1970 when a tag was last put on it. */
  readonly taggedAt: number;
  /** Names of the containers that need it. */
  readonly users: readonly string[];
}

export interface DiskFacts {
  readonly totalBytes: number;
  readonly usedBytes: number;
}

/** `remove`: now. `may`: when the disk is fuller. `keep`: whatever happens. */
export type Decision = "remove" | "may" | "keep";

export interface Verdict {
  readonly image: ImageFacts;
  readonly decision: Decision;
  readonly reason: string;
  /** What its removal gives back after those before it in the list; 0 for what stays. */
  readonly freedBytes: number;
}

/**
 * Says of each image what becomes of it and why: first those that go, the longest unused first, then those that may go, then those that stay.
 * @param isForced  as if the disk were too full down to its last image that may go
 */
export function decide(
  images: readonly ImageFacts[],
  disk: DiskFacts,
  policy: HousekeepingPolicy,
  { now, isForced = false }: { readonly now: number; readonly isForced?: boolean },
): Verdict[] {
  const kept = keptByTag(images, policy.keptTags);
  const reasons = new Map(images.map((image) => [image, protection(image, kept, policy, now)]));
  const candidates = images.filter((image) => reasons.get(image) === undefined).sort((a, b) => a.lastUsedAt - b.lastUsedAt);
  const staying = images.filter((image) => !candidates.includes(image));
  return [
    ...verdictsOf(candidates, images, disk, policy, isForced),
    ...staying.map((image) => ({ image, decision: "keep" as const, reason: reasons.get(image) ?? "", freedBytes: 0 })),
  ];
}

function verdictsOf(
  candidates: readonly ImageFacts[],
  images: readonly ImageFacts[],
  disk: DiskFacts,
  policy: HousekeepingPolicy,
  isForced: boolean,
): Verdict[] {
  const holders = countHolders(images);
  const isFull = isForced || disk.usedBytes >= policy.highMark * disk.totalBytes;
  const goal = isForced ? Number.NEGATIVE_INFINITY : policy.lowMark * disk.totalBytes;
  let used = disk.usedBytes;
  return candidates.map((image) => {
    const freedBytes = release(image, holders);
    const goes = isFull && used > goal;
    if (goes) used -= freedBytes;
    return { image, decision: goes ? "remove" : "may", reason: "nothing needs it", freedBytes };
  });
}

/** Why an image stays; undefined when it may go. */
function protection(image: ImageFacts, kept: ReadonlyMap<ImageFacts, string>, policy: HousekeepingPolicy, now: number): string | undefined {
  const [user] = image.users;
  if (user !== undefined) return `container ${user} needs it`;
  const unusedFor = now - image.lastUsedAt;
  if (unusedFor < policy.unusedForMilliseconds) return `used ${span(unusedFor)} ago, less than ${span(policy.unusedForMilliseconds)}`;
  if (image.tags.length > 0 && !image.isInRegistry && !policy.takesLocal) return "no registry is known to have it";
  const repository = kept.get(image);
  return repository === undefined ? undefined : `one of the newest ${policy.keptTags} of ${repository}`;
}

/** The last tags of each repository: image → repository. */
function keptByTag(images: readonly ImageFacts[], count: number): Map<ImageFacts, string> {
  const byRepository = new Map<string, Set<ImageFacts>>();
  for (const image of images)
    for (const tag of image.tags) {
      const repository = tag.slice(0, tag.lastIndexOf(":"));
      byRepository.set(repository, (byRepository.get(repository) ?? new Set()).add(image));
    }
  const kept = new Map<ImageFacts, string>();
  for (const [repository, members] of byRepository) {
    const newest = [...members].sort((a, b) => b.taggedAt - a.taggedAt).slice(0, count);
    for (const image of newest) if (!kept.has(image)) kept.set(image, repository);
  }
  return kept;
}

function countHolders(images: readonly ImageFacts[]): Map<string, number> {
  const holders = new Map<string, number>();
  for (const { parts } of images) for (const part of parts.keys()) holders.set(part, (holders.get(part) ?? 0) + 1);
  return holders;
}

/** Takes an image out of the count. @returns bytes of what only it had left */
function release({ parts }: ImageFacts, holders: Map<string, number>): number {
  let bytes = 0;
  for (const [part, size] of parts) {
    const others = (holders.get(part) ?? 1) - 1;
    holders.set(part, others);
    if (others === 0) bytes += size;
  }
  return bytes;
}

const units = [
  ["day", 24 * 3_600_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
] as const;

function span(milliseconds: number): string {
  for (const [unit, length] of units) {
    const count = Math.floor(milliseconds / length);
    if (count > 0) return `${count} ${unit}${count === 1 ? "" : "s"}`;
  }
  return "a minute";
}
