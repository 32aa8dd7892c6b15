import type { Descriptor } from "#types/oci/image.ts";
import { matchesPlatform, type WantedPlatform } from "./platform.ts";

/**
 * Entries of an index that may serve a platform, best first: those that name it, then those that name none. Attestations and artefacts
 * (`unknown/unknown`) never do.
 */
export function candidatesFor(wanted: WantedPlatform, entries: readonly Descriptor[]): Descriptor[] {
  const matching = entries.filter(({ platform }) => platform && matchesPlatform(wanted, platform));
  const nameless = entries.filter(({ platform }) => !platform);
  return [...matching.sort((first, second) => variantRank(first) - variantRank(second)), ...nameless];
}

/** Without a variant comes before v1, v2, …: what runs everywhere first. The sort is stable. */
function variantRank({ platform }: Descriptor): number {
  const variant = platform?.variant;
  if (variant === undefined || variant === "") return 0;
  // arm64 has v8 as its ground floor.
  if (platform?.architecture === "arm64" && variant === "v8") return 0;
  return Number(/^v(\d{1,3})/.exec(variant)?.[1] ?? 1000);
}

/** `linux/arm64/v8`. */
export function formatPlatform({
  os,
  architecture,
  variant,
}: {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string | undefined;
}): string {
  return [os, architecture, variant].filter((part) => part !== undefined && part !== "").join("/");
}
