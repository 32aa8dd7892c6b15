import { basename } from "node:path";
import { readMounts } from "#os/mount.ts";
import type { Finding } from "./difference.ts";
import { isBelow, namesIn } from "./host.ts";
import type { Records } from "./records.ts";

/** Network namespaces: a file of each running container's sandbox, bound to a namespace, and no other. */
export function checkNamespaces(records: Records): Finding[] {
  const folder = records.paths.networkNamespaces;
  const mounted = readMounts().filter(({ target }) => isBelow(target, folder));
  const bound = new Set(mounted.filter(({ type }) => type === "nsfs").map(({ target }) => target));
  const known = new Map(
    records.live.flatMap(({ id, sandbox }) => (sandbox && sandbox.netnsPath !== "" ? [[sandbox.netnsPath, id] as const] : [])),
  );
  // The name of a sandbox that is being made is not on record yet; it begins with the container's.
  const starting = [...records.containers.values()]
    .filter(({ state }) => state.status === "starting")
    .map(({ id }) => `${id.slice(0, 12)}-`);
  const isStarting = (path: string): boolean => starting.some((prefix) => basename(path).startsWith(prefix));
  const present = new Set([...namesIn(folder).map((name) => `${folder}/${name}`), ...mounted.map(({ target }) => target)]);
  return [
    ...[...present]
      .filter((path) => !known.has(path) && !isStarting(path))
      .map((path): Finding => ({ kind: "netns", subject: path, message: "exists, but no running container has it" })),
    ...[...known]
      .filter(([path]) => !bound.has(path))
      .map(([path, owner]): Finding => ({
        kind: "netns",
        subject: path,
        message: `is no namespace, should be that of container ${owner}`,
        owner,
      })),
  ];
}
