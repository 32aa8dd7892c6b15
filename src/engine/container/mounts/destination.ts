import { posix } from "node:path";
import { EngineError } from "#lib/errors.ts";

/** @param where  what the messages begin with */
export function cleanDestination(target: string, where = ""): string {
  if (!target.startsWith("/")) throw new EngineError("invalid", `${where}invalid mount path: '${target}' mount path must be absolute`);
  const clean = cleanPath(target);
  if (clean === "/") throw new EngineError("invalid", `${where}invalid specification: destination can't be '/'`);
  return clean;
}

export function cleanPath(path: string): string {
  return posix.normalize(path).replace(/(.)\/$/, "$1");
}
