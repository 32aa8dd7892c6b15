import { statSync } from "node:fs";
import { zeroTime } from "#lib/clock.ts";
import type { Finding } from "./difference.ts";
import { isBelow, namesIn, openFiles, type Process } from "./host.ts";
import { daemonPid } from "./processes.ts";
import type { Records } from "./records.ts";

/** Folders of containers, volumes and runs: each belongs to a record; temporary folders are empty but for work under way. */
export function checkFiles(records: Records, processes: readonly Process[]): Finding[] {
  return [...containerFolders(records), ...volumeFolders(records), ...runFiles(records, processes), ...temporaryFiles(records, processes)];
}

/** Folders whose content goes when the work is done. */
const temporaryFolders = ({ paths }: Records): string[] => [
  paths.temporary,
  `${paths.content}/tmp`,
  `${paths.content}/removed`,
  `${paths.layers}/tmp`,
];

/** True while the daemon, or a helper of it, writes a temporary file: a pull, a load, a build. Layers and blobs then have no image yet. */
export function isTransferUnderWay(records: Records, processes: readonly Process[]): boolean {
  return filesInWork(records, processes).length > 0;
}

function filesInWork(records: Records, processes: readonly Process[]): string[] {
  const daemon = daemonPid(records, new Map(processes.map((one) => [one.pid, one])));
  if (daemon === undefined) return [];
  const folders = temporaryFolders(records);
  return processes
    .filter(({ pid, parent }) => pid === daemon || parent === daemon)
    .flatMap(({ pid }) => openFiles(pid))
    .filter((path) => folders.some((folder) => isBelow(path, folder)));
}

function temporaryFiles(records: Records, processes: readonly Process[]): Finding[] {
  const inWork = filesInWork(records, processes);
  return temporaryFolders(records)
    .flatMap((folder) => namesIn(folder).map((name) => `${folder}/${name}`))
    .filter((path) => !inWork.some((open) => open === path || isBelow(open, path)))
    .map((path) => surplus(path, "is left in a temporary folder, nobody works with it"));
}

function containerFolders(records: Records): Finding[] {
  const { paths, containers } = records;
  const missing = [...containers.values()].filter(({ id, state }) => state.startedAt !== zeroTime && !isFolder(paths.container(id).folder));
  return [
    ...namesIn(paths.containers)
      .filter((name) => !containers.has(name) && !records.mayRun(name))
      .map((name) => surplus(`${paths.containers}/${name}`, "exists, but no record names the container")),
    ...missing.map(({ id }): Finding => ({
      kind: "file",
      subject: paths.container(id).folder,
      message: "is missing, the container has run",
      owner: id,
    })),
  ];
}

function volumeFolders({ paths, volumes }: Records): Finding[] {
  const local = [...volumes.values()].filter(({ driver }) => driver === "local").map(({ name }) => name);
  return [
    ...namesIn(paths.volumes)
      .filter((name) => !volumes.has(name))
      .map((name): Finding => ({
        kind: "volume",
        subject: name,
        message: `${paths.volumes}/${name} exists, but no record names the volume`,
      })),
    ...local
      .filter((name) => !isFolder(`${paths.volumes}/${name}/_data`))
      .map((name): Finding => ({
        kind: "volume",
        subject: name,
        message: `${paths.volumes}/${name}/_data is missing, the volume should have it`,
      })),
  ];
}

/** Bundles, exit files and the runtime's state belong to running containers, folders of execs to a process that names them. */
function runFiles(records: Records, processes: readonly Process[]): Finding[] {
  const { paths, instance, containers } = records;
  const running = [...containers.keys(), ...namesIn(paths.containers)].filter((id) => records.mayRun(id));
  const bundles = new Set(running.map((id) => paths.container(id).bundle));
  const inFolders = (folder: string): string[] =>
    namesIn(folder).flatMap((runtime) => namesIn(`${folder}/${runtime}`).map((name) => `${folder}/${runtime}/${name}`));
  const ownerOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
  const execs = `${instance.execRoot}/execs`;
  const isUsed = (folder: string): boolean =>
    processes.some(({ argv }) => argv.some((argument) => argument === folder || isBelow(argument, folder)));
  // crun keeps its compiled profiles beside the containers, in `.cache`; no container has such a name.
  const states = inFolders(paths.runtimeState).filter((path) => !ownerOf(path).startsWith("."));
  return [
    ...namesIn(`${instance.execRoot}/bundles`)
      .map((name) => `${instance.execRoot}/bundles/${name}`)
      .filter((path) => !bundles.has(path))
      .map((path) => surplus(path, "exists, but no running container has this bundle")),
    ...[...states, ...inFolders(paths.exits)]
      .filter((path) => !records.mayRun(ownerOf(path)))
      .map((path) => surplus(path, "exists, but the container does not run", ownerOf(path))),
    ...namesIn(execs)
      .map((name) => `${execs}/${name}`)
      .filter((path) => !isUsed(path))
      .map((path) => surplus(path, "exists, but no process of an exec uses it")),
    ...records.live.flatMap(({ id }): Finding[] => {
      const { bundle } = paths.container(id);
      const findings: Finding[] = isFolder(bundle)
        ? []
        : [{ kind: "file", subject: bundle, message: "is missing, the container runs", owner: id }];
      if (!states.some((path) => ownerOf(path) === id))
        findings.push({ kind: "file", subject: `${paths.runtimeState}/*/${id}`, message: "is missing, the container runs", owner: id });
      return findings;
    }),
  ];
}

const surplus = (subject: string, message: string, owner?: string): Finding => ({
  kind: "file",
  subject,
  message,
  ...(owner !== undefined && { owner }),
});

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
