import { EngineError } from "#lib/errors.ts";
import type { MountTmpfsOptions } from "#types/engine-api/index.ts";
import { cleanDestination } from "./destination.ts";
import type { WantedMount } from "./wanted.ts";

const tmpfsFlags = new Set(
  "ro rw nosuid suid nodev dev noexec exec noatime atime relatime strictatime nodiratime diratime sync async dirsync".split(" "),
);

/** `noexec,nosuid,nodev` unless said otherwise. @throws {EngineError} `invalid` with Docker's texts */
export function parseTmpfs(target: string, text: string): WantedMount {
  const destination = cleanDestination(target);
  const words = text === "" ? [] : text.split(",");
  for (const word of words) {
    if (
      !tmpfsFlags.has(word) &&
      !/^(size=-?\d+[kmgKMG%]?|mode=[0-7]{1,4}|uid=\d+|gid=\d+|nr_inodes=\d+[kmgKMG]?|nr_blocks=\d+[kmgKMG]?)$/.test(word)
    ) {
      throw new EngineError("invalid", `invalid tmpfs option ${JSON.stringify(word)}`);
    }
  }
  const opposite: Readonly<Record<string, string>> = { noexec: "exec", nosuid: "suid", nodev: "dev" };
  const defaults = Object.entries(opposite).flatMap(([name, other]) => (words.includes(other) || words.includes(name) ? [] : [name]));
  const tmpfsOptions = [...defaults, ...words.filter((word) => !Object.values(opposite).includes(word))];
  return {
    type: "tmpfs",
    source: "",
    destination,
    mode: text,
    writable: !words.includes("ro"),
    propagation: "",
    anonymous: false,
    noCopy: true,
    tmpfsOptions,
  };
}

/** The options of `--mount type=tmpfs` as one text. @throws {EngineError} `invalid` with Docker's texts */
export function tmpfsText(options: MountTmpfsOptions, writable: boolean): string {
  const bad = (reason: string): EngineError => new EngineError("invalid", `invalid mount config for type "tmpfs": ${reason}`);
  const { SizeBytes: size = 0, Mode: mode = 0, Options: more } = options;
  const words = (more ?? []).map(([word = "", ...value]) => {
    if (word === "" || value.length > 1) throw bad("invalid option array length");
    if (word !== "exec" && word !== "noexec") throw bad(`invalid option: ${word}`);
    if (value.length > 0) throw new EngineError("invalid", `invalid tmpfs option ${JSON.stringify(word)}`); // neither has a value
    return word;
  });
  return [
    ...(size !== 0 ? [`size=${size}`] : []),
    ...(mode !== 0 ? [`mode=${mode.toString(8)}`] : []),
    ...(writable ? [] : ["ro"]),
    ...words,
  ].join(",");
}
