import type { ProjectQuota } from "./project-quota.ts";

export interface VolumeRecord {
  readonly name: string;
  readonly driver: string;
  /** Null: none were given. */
  readonly options: Readonly<Record<string, string>> | null;
  readonly labels: Readonly<Record<string, string>> | null;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly anonymous: boolean;
  /** Its option `size`. */
  readonly projectQuota?: ProjectQuota;
}
