import { EngineError } from "#lib/errors.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { WantedMount } from "./wanted.ts";

/** Binds and volumes of another container, which need not run. @throws {EngineError} `invalid` with Docker's texts */
export function parseVolumesFrom(text: string, containerOf: (name: string) => ContainerRecord | undefined): WantedMount[] {
  if (text === "") throw new EngineError("invalid", "volumes-from specification cannot be an empty string");
  const colon = text.indexOf(":");
  const [name, mode] = colon < 0 ? [text, undefined] : [text.slice(0, colon), text.slice(colon + 1)];
  if (mode !== undefined && !isMode(mode)) throw new EngineError("invalid", `invalid mode: ${mode}`);
  const other = containerOf(name);
  if (!other) throw new EngineError("invalid", `No such container: ${name}`);
  const writable = mode === undefined || !mode.split(",").includes("ro");
  return other.mounts
    .filter((mount) => mount.type === "bind" || mount.type === "volume")
    .map((mount) => ({ ...mount, mode: "", writable: writable && mount.writable, anonymous: false }));
}

/** Access and label, one of each at most. */
function isMode(mode: string): boolean {
  const words = mode.split(",");
  const count = (...kind: string[]): number => words.filter((word) => kind.includes(word)).length;
  return count("ro", "rw", "z", "Z") === words.length && count("ro", "rw") < 2 && count("z", "Z") < 2;
}
