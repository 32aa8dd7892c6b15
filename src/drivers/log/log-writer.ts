import { isForwarding } from "./drivers.ts";
import { Backlog } from "./forward/backlog.ts";
import { readSentCursor } from "./forward/sent-cursor.ts";
import { JsonFile } from "./json-file.ts";
import { LogFileWriter } from "./log-file-writer.ts";
import { localFolder } from "./local/names.ts";
import { removeOldFiles, SequenceFiles } from "./local/rotation.ts";
import { defaultLimits, type LogLimits } from "./protocol.ts";
import { logPath, logStorage, type LogStorage } from "./storage.ts";
import type { LogConfig } from "./types.ts";

/** Undefined when nobody is waited for. */
export function backlogOf(config: LogConfig, storage: LogStorage | undefined, limits: LogLimits): Backlog | undefined {
  if (!storage || storage.nonBlocking || !isForwarding(config.driver)) return undefined;
  return new Backlog({
    logsFolder: config.logsFolder,
    keptFiles: keptFiles(storage, limits),
    waitMilliseconds: limits.diskFullWaitMilliseconds,
  });
}

/** After a server has got more of a log: what was kept for it only. */
export function removeSentFiles(config: LogConfig, first: number): void {
  const storage = logStorage(config.driver, config.options);
  if (!storage) return;
  removeOldFiles(localFolder(config.logsFolder), { maxFiles: storage.maxFiles, first, keptFiles: keptFiles(storage, defaultLimits) });
}

/** Files that are kept for a server: with a small cache many, with the usual one those that are there anyway. */
function keptFiles({ maxFiles, maxSizeBytes }: LogStorage, { unsentBytes }: LogLimits): number {
  return Math.max(maxFiles, Math.floor(unsentBytes / maxSizeBytes));
}

/** Opens a container's log to write. */
export function openLogWriter(config: LogConfig, storage: LogStorage, limits: LogLimits): LogFileWriter {
  if (storage.form === "json") return new JsonFile(logPath(config.logsFolder, config.containerId), storage);
  const { maxFiles, compress } = storage;
  const unsent = isForwarding(config.driver) && {
    needed: () => readSentCursor(config.logsFolder)?.sequence ?? 0,
    keptFiles: keptFiles(storage, limits),
  };
  const rotation = new SequenceFiles({ folder: localFolder(config.logsFolder), maxFiles, compress, ...unsent });
  return new LogFileWriter(rotation, storage.maxSizeBytes);
}
