import { formatTimeNano, systemClock } from "#lib/clock.ts";
import type { LogLineFormat } from "./line-format.ts";

/** Lines that the log itself tells of what it lacks. */
export const lossTexts = {
  diskFull: (bytes: number) => `${bytes} bytes of log lost: disk full`,
  tooSlow: (bytes: number) => `${bytes} bytes of log lost: the container writes faster than the log`,
  unsent: "records were lost: the server was away while more was printed than is kept",
  gap: "lines of log may be missing here: the daemon was away while more than one spool segment was written",
};

export function lossLine(format: LogLineFormat, text: string): Buffer {
  return format.ownLine(text, formatTimeNano(systemClock.nowNano()));
}
