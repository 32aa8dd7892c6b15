import { EngineError } from "#lib/errors.ts";
import { cleanDestination, cleanPath } from "./destination.ts";
import { propagations, type WantedMount } from "./wanted.ts";

/** One `-v SOURCE:TARGET[:MODE]`. @throws {EngineError} `invalid` with Docker's texts */
export function parseBind(text: string, volumeDriver: string, recursiveReadOnly: boolean): WantedMount {
  const parts = text.split(":");
  const [source = "", target, mode = ""] = parts;
  if (parts.length > 3 || source === "" || target === undefined || target === "") {
    throw new EngineError("invalid", `invalid volume specification: '${text}'`);
  }
  const kind = source.startsWith("/") ? "bind" : "volume";
  const destination = cleanDestination(target, `invalid volume specification: '${text}': invalid mount config for type "${kind}": `);
  const flags = parseMode(mode, text, kind === "bind");
  const common = { destination, writable: flags.writable, propagation: flags.propagation, noCopy: flags.noCopy };
  if (kind === "bind") {
    return {
      ...common,
      type: "bind",
      source: cleanPath(source),
      mode,
      createSource: true,
      propagation: flags.propagation || "rprivate",
      anonymous: false,
      readOnlyRecursive: recursiveReadOnly ? "try" : "off",
    };
  }
  return { ...common, type: "volume", name: source, driver: volumeDriver, source: "", mode: mode || "z", anonymous: false };
}

function parseMode(mode: string, text: string, isBind: boolean): { writable: boolean; propagation: string; noCopy: boolean } {
  const flags = { writable: true, propagation: "", noCopy: false };
  const seen = new Set<string>();
  for (const word of mode === "" ? [] : mode.split(",")) {
    const kind = ["ro", "rw"].includes(word)
      ? "access"
      : ["z", "Z"].includes(word)
        ? "label"
        : propagations.includes(word)
          ? "propagation"
          : word === "nocopy"
            ? "copy"
            : "";
    if (kind === "" || seen.has(kind) || (kind === "copy" && isBind) || (kind === "propagation" && !isBind)) {
      throw new EngineError("invalid", `invalid mode: ${mode}`);
    }
    seen.add(kind);
    if (word === "ro") flags.writable = false;
    if (kind === "propagation") flags.propagation = word;
    if (kind === "copy") flags.noCopy = true;
  }
  if (text.includes("\0")) throw new EngineError("invalid", "invalid volume specification: NUL in path");
  return flags;
}
