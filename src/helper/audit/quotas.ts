import { statSync } from "node:fs";
import { messageOf } from "#lib/errors.ts";
import { projectRange } from "#lib/instance.ts";
import { projectOf, readProject, readProjects } from "#os/project-quota.ts";
import type { ProjectQuota } from "#types/record/project-quota.ts";
import type { Finding } from "./difference.ts";
import type { Records } from "./records.ts";

/** What has a limit of its size by a project of the file system. */
interface Limited {
  readonly subject: string;
  /** Made with the first start of a container, with the volume itself. */
  readonly folder: string;
  readonly quota: ProjectQuota;
  readonly owner?: string;
}

/** Projects of the instance, as the file system has them, belong to one container or volume each, with the limit of its record. */
export function checkQuotas(records: Records): Finding[] {
  const limited = limitedOf(records);
  return [...shared(limited), ...limited.flatMap(checkOne), ...checkStray(records, limited)];
}

function limitedOf({ containers, volumes, paths }: Records): Limited[] {
  return [
    ...[...containers.values()].flatMap(({ id, projectQuota: quota }): Limited[] =>
      quota ? [{ subject: id, folder: paths.container(id).limited, quota, owner: id }] : [],
    ),
    ...[...volumes.values()].flatMap(({ name, projectQuota: quota }): Limited[] =>
      quota ? [{ subject: name, folder: `${paths.volumes}/${name}/_data`, quota }] : [],
    ),
  ];
}

function shared(limited: readonly Limited[]): Finding[] {
  return [...Map.groupBy(limited, ({ quota }) => quota.id)]
    .filter(([, owners]) => owners.length > 1)
    .map(([id, owners]) => finding(`project ${id}`, `is that of ${owners.map(({ subject }) => subject).join(" and ")}, should be of one`));
}

function checkOne({ subject, folder, quota, owner }: Limited): Finding[] {
  if (!isThere(folder)) return []; // not started yet; a missing folder of a volume is told by files.ts
  try {
    const found = projectOf(folder);
    if (found !== quota.id) return [finding(subject, `${folder} belongs to project ${found}, should be ${quota.id}`, owner)];
    const { limitBytes } = readProject(folder, quota.id);
    // The file system counts in units.
    if (Math.abs(limitBytes - quota.sizeBytes) < 1024) return [];
    return [finding(subject, `project ${quota.id} is limited to ${limitBytes} bytes, should be ${quota.sizeBytes}`, owner)];
  } catch (error) {
    return [finding(subject, `the limit of ${folder} cannot be read: ${messageOf(error)}`, owner)];
  }
}

/** Projects of the instance that no record names: a limit, or files, that somebody has left. */
function checkStray({ instance, paths }: Records, limited: readonly Limited[]): Finding[] {
  const known = new Set(limited.map(({ quota }) => quota.id));
  const range = projectRange(instance);
  const found = [paths.containers, paths.volumes].filter(isThere).flatMap((place) => [...readProjects(place, range)]);
  return [...new Map(found)]
    .filter(([id, { limitBytes, inodes }]) => !known.has(id) && limitBytes + inodes > 0)
    .map(([id, { limitBytes, inodes }]) =>
      finding(`project ${id}`, `has a limit of ${limitBytes} bytes and ${inodes} files, but no record names it`),
    );
}

const finding = (subject: string, message: string, owner?: string): Finding => ({
  kind: "quota",
  subject,
  message,
  ...(owner !== undefined && { owner }),
});

function isThere(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
