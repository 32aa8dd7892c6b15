import { constants } from "node:os";
import { EngineError, messageOf } from "#lib/errors.ts";

const SIGRTMIN = 34;
const SIGRTMAX = 64;

/** A signal by number or name, with or without SIG, in any case; RTMIN+n and RTMAX-n. @throws {EngineError} `invalid` with Docker's text */
export function parseSignal(text: string): number {
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : byName(text.toUpperCase().replace(/^SIG/, ""));
  if (number === undefined || number === 0) throw new EngineError("invalid", `invalid signal: ${text}`);
  if (number < 1 || number > SIGRTMAX) throw new EngineError("invalid", `the linux daemon does not support signal ${number}`);
  return number;
}

/** The same for a verb, which the message then names with what the caller has called the container. */
export function parseSignalFor(verb: "kill" | "stop", shownName: string, text: string): number {
  try {
    return parseSignal(text);
  } catch (error) {
    throw new EngineError("invalid", `cannot ${verb} container: ${shownName}: ${messageOf(error)}`, { cause: error });
  }
}

function byName(name: string): number | undefined {
  const realtime = /^RT(MIN|MAX)(?:([+-])(\d{1,2}))?$/.exec(name);
  if (realtime) {
    const base = realtime[1] === "MIN" ? SIGRTMIN : SIGRTMAX;
    const offset = Number(realtime[3] ?? 0) * (realtime[2] === "-" ? -1 : 1);
    const signal = base + offset;
    return signal >= SIGRTMIN && signal <= SIGRTMAX ? signal : undefined;
  }
  return (constants.signals as Readonly<Record<string, number | undefined>>)[`SIG${name}`];
}

export const SIGKILL = 9;
export const SIGTERM = 15;
