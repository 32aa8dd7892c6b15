import { sleep } from "#lib/async.ts";
import { execRootOf } from "#lib/instance.ts";
import { checkBlobs } from "./blobs.ts";
import { checkCgroups } from "./cgroups.ts";
import { checkCrossReferences } from "./cross-references.ts";
import type { Difference, Finding } from "./difference.ts";
import { checkDigests } from "./digests.ts";
import { checkFiles, isTransferUnderWay } from "./files.ts";
import { checkFirewall } from "./firewall.ts";
import { readProcesses } from "./host.ts";
import { checkLayers } from "./layers.ts";
import { checkLinks } from "./links.ts";
import { checkLoopDevices } from "./loop-devices.ts";
import { checkMounts } from "./mounts.ts";
import { checkNamespaces } from "./namespaces.ts";
import { checkProcesses } from "./processes.ts";
import { checkQuotas } from "./quotas.ts";
import { readRecords, type Records } from "./records.ts";

export interface AuditOptions {
  readonly dataRoot: string;
  /** Absent: the one that belongs to the data root. */
  readonly execRoot?: string;
  /** Hash all blobs and layers again. */
  readonly deep?: boolean;
  /** How long a difference must persist; a working daemon is between two steps at any moment. */
  readonly patienceMilliseconds?: number;
  /** Told what is under work when it takes long. */
  readonly tell?: (what: string) => void;
}

/** In all about two seconds; the first ones are short, since most of what is under way is over by then. */
const pausesMilliseconds = [50, 100, 200, 350, 550, 750];
const defaultPatienceMilliseconds = pausesMilliseconds.reduce((sum, pause) => sum + pause, 0);

/**
 * Compares an instance's records with everything it has on this host. Independent of the engine: shares names, schema and record types
 * with it, nothing else, and asks no daemon. Differences that go away by themselves are not told.
 * @throws {AuditFailure} when records or host cannot be read
 */
export async function auditInstance(options: AuditOptions): Promise<readonly Difference[]> {
  const { dataRoot, execRoot = execRootOf(dataRoot), patienceMilliseconds = defaultPatienceMilliseconds } = options;
  let reading = await readOnce(dataRoot, execRoot);
  for (const pause of pausesMilliseconds) {
    if (reading.findings.length === 0) break;
    await sleep((pause * patienceMilliseconds) / defaultPatienceMilliseconds);
    reading = stillThere(reading, await readOnce(dataRoot, execRoot));
  }
  const damaged = options.deep ? await checkDigests(reading.records, options.tell ?? (() => {})) : [];
  return [...reading.findings, ...damaged].map(({ kind, subject, message }) => ({ kind, subject, message }));
}

interface Reading {
  readonly records: Records;
  readonly findings: readonly Finding[];
}

async function readOnce(dataRoot: string, execRoot: string): Promise<Reading> {
  // Records first: what is made later has an older record or none, and is gone, or known, at the next reading.
  const records = readRecords(dataRoot, execRoot);
  const processes = readProcesses();
  const underWay = isTransferUnderWay(records, processes);
  const findings = [
    ...checkCrossReferences(records),
    ...checkMounts(records),
    ...checkLoopDevices(records),
    ...checkNamespaces(records),
    ...checkCgroups(records),
    ...checkProcesses(records, processes),
    ...checkFiles(records, processes),
    ...checkQuotas(records),
    ...checkLayers(records, underWay),
    ...checkBlobs(records, underWay),
    ...(await checkLinks(records)),
    ...(await checkFirewall(records)),
  ];
  return { records, findings };
}

/** What both readings saw, with the same record behind it: a container that restarts all the time is between two runs at each look. */
function stillThere(before: Reading, now: Reading): Reading {
  const keyOf = (reading: Reading, finding: Finding): string => {
    const { kind, subject, message, owner } = finding;
    return JSON.stringify([kind, subject, message, owner === undefined ? "" : reading.records.versionOf(owner)]);
  };
  const seen = new Set(before.findings.map((finding) => keyOf(before, finding)));
  return { records: now.records, findings: now.findings.filter((finding) => seen.has(keyOf(now, finding))) };
}
