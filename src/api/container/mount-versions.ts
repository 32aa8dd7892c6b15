import { EngineError } from "#lib/errors.ts";
import type { HostConfig } from "#types/engine-api/index.ts";
import { apiVersionOf, type ApiVersion } from "../http/version.ts";

/** What a mount says that the request's version does not know. @throws {EngineError} `invalid` with Docker's texts */
export function refuseNewerMounts(host: HostConfig | null | undefined, apiVersion: ApiVersion): void {
  const needs = (what: string, minor: number): void => {
    if (apiVersion < apiVersionOf(1, minor)) throw new EngineError("invalid", `${what} needs API v1.${minor} or newer`);
  };
  for (const mount of host?.Mounts ?? []) {
    if (mount.BindOptions?.ReadOnlyForceRecursive) needs("BindOptions.ReadOnlyForceRecursive", 44);
    if (mount.VolumeOptions?.Subpath) needs("VolumeOptions.Subpath", 45);
    if (mount.Type === "image") needs('Mount type "Image"', 48);
  }
}
