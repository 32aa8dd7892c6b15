import { StartError } from "#drivers/runtime/failure.ts";
import { makeInRootfs, readFromRootfs } from "#drivers/snapshot/read-in-root.ts";
import { messageOf } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import type { RuntimeSpec } from "#types/oci/runtime-spec.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "../dependencies.ts";
import type { PlacedMount } from "../mounts/place.ts";
import { resolveUser } from "../user.ts";
import { assembleSpec } from "./assemble.ts";

/** The runtime's configuration of a container whose root file system is mounted: with what is found there. @throws {StartError} */
export function resolveSpec(
  deps: ContainerDependencies,
  record: ContainerRecord,
  made: { readonly netnsPath: string | undefined; readonly mounts: readonly PlacedMount[] },
): RuntimeSpec {
  const { rootfs } = instancePaths(deps.instance).container(record.id);
  const [passwd = "", group = ""] = readFromRootfs(rootfs, ["etc/passwd", "etc/group"]);
  if (record.config.WorkingDir && record.config.WorkingDir !== "/") makeWorkingFolder(rootfs, record.config.WorkingDir);
  const user = resolveUser(record.config.User ?? "", record.hostConfig.GroupAdd ?? [], passwd, group);
  return assembleSpec(deps, record, { ...made, user });
}

/** Docker makes a WORKDIR that the image lacks. */
function makeWorkingFolder(rootfs: string, path: string): void {
  try {
    makeInRootfs(rootfs, path);
  } catch (error) {
    throw new StartError("other", `failed to create workdir ${path}: ${messageOf(error)}`, error);
  }
}
