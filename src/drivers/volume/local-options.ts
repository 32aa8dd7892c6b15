import { EngineError, messageOf } from "#lib/errors.ts";
import { parseMemoryBytes } from "#lib/memory-size.ts";
import type { VolumeOptions } from "./types.ts";

/** Each wants the others, even empty ones. */
const companions: Readonly<Record<string, readonly string[]>> = { device: ["type"], type: ["device"], o: ["device", "type"] };

/**
 * @param isLimitable  the file system can limit the size of a folder
 * @returns the size wanted; 0: no limit
 * @throws {EngineError} `invalid` with Docker's texts
 */
export function validateLocalOptions(name: string, options: VolumeOptions, isLimitable: boolean): number {
  const fail = (reason: string): EngineError => new EngineError("invalid", `create ${name}: ${reason}`);
  for (const option of Object.keys(options))
    if (!Object.hasOwn(companions, option) && option !== "size") throw fail(`invalid option: ${JSON.stringify(option)}`);
  const sizeBytes = parseSize(options["size"] ?? "0", fail);
  if (sizeBytes > 0 && !isLimitable) throw fail("quota size requested but no quota support");
  for (const [option, wanted] of Object.entries(companions))
    for (const other of wanted)
      if (Object.hasOwn(options, option) && !Object.hasOwn(options, other)) throw fail(`missing required option: ${JSON.stringify(other)}`);
  if (sizeBytes > 0 && isMounted(options)) throw fail("the size of what is mounted cannot be limited by the option size");
  return sizeBytes;
}

/** The volume is not a folder of the data root, but something that is mounted there. */
export function isMounted(options: VolumeOptions): boolean {
  return Boolean(options["type"]) || Boolean(options["device"]);
}

function parseSize(text: string, fail: (reason: string) => EngineError): number {
  try {
    return parseMemoryBytes(text);
  } catch (error) {
    throw fail(messageOf(error));
  }
}
