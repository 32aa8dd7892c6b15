// Written by scripts/generate-engine-api.ts; do not edit.

import type { OCIDescriptor, OCIPlatform } from "./container.ts";

export interface DistributionInspect {
  readonly Descriptor: OCIDescriptor;
  readonly Platforms: readonly OCIPlatform[];
}
