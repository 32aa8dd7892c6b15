import type { ContainerMount } from "#types/record/container.ts";

/** A mount as it was asked for, before volumes exist. */
export type WantedMount = ContainerMount & {
  /** A bind whose source is made when it is missing: all of `-v`, those of `--mount` that say so. */
  readonly createSource?: boolean;
  readonly volumeOptions?: Readonly<Record<string, string>>;
  readonly volumeLabels?: Readonly<Record<string, string>>;
};

export const propagations: readonly string[] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];
