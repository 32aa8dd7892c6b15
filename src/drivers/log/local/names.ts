import { readdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { isMissing } from "../log-files.ts";

/** Below a container's log folder: nothing else is written there, so that who follows the log is woken by nothing else. */
export function localFolder(logsFolder: string): string {
  return `${logsFolder}/local-logs`;
}

/** One file of a log of the driver `local`. Sequence numbers are never used again, so that a position stays what it is. */
export interface LocalFileName {
  readonly sequence: number;
  readonly compressed: boolean;
  readonly path: string;
}

const pattern = /^(\d+)\.(log|zst)$/;

export function localFilePath(folder: string, sequence: number, compressed: boolean): string {
  return `${folder}/${String(sequence).padStart(6, "0")}.${compressed ? "zst" : "log"}`;
}

/** The files of a log, oldest first. One that is being compressed may be there twice; then the whole compressed one counts. */
export function localFiles(folder: string): LocalFileName[] {
  try {
    return parseNames(folder, readdirSync(folder));
  } catch (error) {
    if (isMissing(error)) return []; // nothing was printed yet
    throw error;
  }
}

/** The same without waiting on this thread. */
export async function listLocalFiles(folder: string): Promise<LocalFileName[]> {
  try {
    return parseNames(folder, await readdir(folder));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function parseNames(folder: string, names: readonly string[]): LocalFileName[] {
  const found = new Map<number, LocalFileName>();
  for (const name of names) {
    const match = pattern.exec(name);
    const sequence = Number(match?.[1]);
    const compressed = match?.[2] === "zst";
    if (match && (compressed || !found.has(sequence))) found.set(sequence, { sequence, compressed, path: `${folder}/${name}` });
  }
  return [...found.values()].sort((a, b) => a.sequence - b.sequence);
}
