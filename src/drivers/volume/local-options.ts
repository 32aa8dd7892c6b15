import { EngineError } from "#lib/errors.ts";
import type { VolumeOptions } from "./types.ts";

/** Each wants the others, even empty ones. */
const companions: Readonly<Record<string, readonly string[]>> = { device: ["type"], type: ["device"], o: ["device", "type"] };

/** @throws {EngineError} `invalid` with Docker's texts */
export function validateLocalOptions(name: string, options: VolumeOptions): void {
  const fail = (reason: string): EngineError => new EngineError("invalid", `create ${name}: ${reason}`);
  for (const option of Object.keys(options))
    if (!Object.hasOwn(companions, option) && option !== "size") throw fail(`invalid option: ${JSON.stringify(option)}`);
  const { size } = options;
  if (size !== undefined && !isSize(size)) throw fail(`invalid size: '${size}'`);
  if (size !== undefined && !/^0+(\.0*)?[a-z]*$/i.test(size)) throw fail("quota size requested but no quota support");
  for (const [option, wanted] of Object.entries(companions))
    for (const other of wanted)
      if (Object.hasOwn(options, option) && !Object.hasOwn(options, other)) throw fail(`missing required option: ${JSON.stringify(other)}`);
}

/** The volume is not a folder of the data root, but something that is mounted there. */
export function isMounted(options: VolumeOptions): boolean {
  return Boolean(options["type"]) || Boolean(options["device"]);
}

function isSize(text: string): boolean {
  return /^\d+(\.\d+)? ?([kmgtp](i?b)?|b)?$/i.test(text);
}
