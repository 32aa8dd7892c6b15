import { StartError } from "#drivers/runtime/failure.ts";
import { makeInRootfs, readFromRootfs } from "#drivers/snapshot/read-in-root.ts";
import { messageOf } from "#lib/errors.ts";
import { mappedRoot } from "#lib/id-map.ts";
import { instancePaths } from "#lib/instance.ts";
import type { RuntimeSpec } from "#types/oci/runtime-spec.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { IdMap } from "#types/record/id-map.ts";
import type { ContainerDependencies } from "../dependencies.ts";
import { resolveUser } from "../user.ts";
import { assembleSpec, type SpecParts } from "./assemble.ts";

/** The runtime's configuration of a container whose root file system is mounted: with what is found there. @throws {StartError} */
export function resolveSpec(deps: ContainerDependencies, record: ContainerRecord, made: Omit<SpecParts, "user">): RuntimeSpec {
  const { rootfs } = instancePaths(deps.instance).container(record.id);
  const [passwd = "", group = ""] = readFromRootfs(rootfs, ["etc/passwd", "etc/group"]);
  const { WorkingDir: folder = "" } = record.config;
  if (folder !== "" && folder !== "/") makeWorkingFolder(rootfs, folder, made.userNamespace?.map);
  const user = resolveUser(record.config.User ?? "", record.hostConfig.GroupAdd ?? [], passwd, group);
  return assembleSpec(deps, record, { ...made, user });
}

/** Docker makes a WORKDIR that the image lacks. */
function makeWorkingFolder(rootfs: string, path: string, map: IdMap | undefined): void {
  try {
    makeInRootfs(rootfs, path, map && mappedRoot(map));
  } catch (error) {
    throw new StartError("other", `failed to create workdir ${path}: ${messageOf(error)}`, error);
  }
}
