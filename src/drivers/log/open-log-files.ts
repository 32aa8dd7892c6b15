import { JsonLogFiles } from "./json-log-files.ts";
import { LocalLogFiles } from "./local/log-files.ts";
import type { LogFiles } from "./log-files.ts";
import { isReadable, storedAt } from "./storage.ts";
import type { LogConfig } from "./types.ts";

/** The files that `logs` reads; undefined when the driver keeps none. */
export function openLogFiles({ driver, options, logsFolder, containerId }: LogConfig): LogFiles | undefined {
  if (!isReadable(driver, options)) return undefined;
  const form = driver === "json-file" ? "json" : "local";
  const path = storedAt(form, logsFolder, containerId);
  return form === "json" ? new JsonLogFiles(path) : new LocalLogFiles(path);
}
