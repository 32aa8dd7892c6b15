import { EngineError, messageOf } from "#lib/errors.ts";
import { parseBinarySize, parseDecimalSize } from "./size.ts";

/** What a container's log is like when nobody says otherwise: rotated, so that no log fills the disk. */
export const defaultLogOptions: Readonly<Record<string, string>> = { "max-size": "20m", "max-file": "5" };

/** Drivers that this engine carries out. */
export const logDrivers = ["json-file", "none"] as const;

/** Path of a container's current json-file, as `inspect` shows it; older ones end in `.1`, `.2`, … */
export function logPath(logsFolder: string, containerId: string): string {
  return `${logsFolder}/${containerId}-json.log`;
}

/** Options of a json-file as numbers. */
export interface JsonFileLimits {
  /** Rotation before the line that would begin at or behind this size; Infinity: never. */
  readonly maxSizeBytes: number;
  /** Files kept, the current one included; at least 1. */
  readonly maxFiles: number;
  /** Records are dropped rather than the container held back. */
  readonly nonBlocking: boolean;
  /** `non-blocking` only: how far the log may lag behind. */
  readonly maxBufferBytes: number | undefined;
}

const jsonFileOptions = new Set(["max-size", "max-file", "compress", "labels", "labels-regex", "env", "env-regex", "tag"]);
/** Options of every driver; Docker takes the cache's without a use for json-file. */
const commonOptions = new Set(["mode", "max-buffer-size", "cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"]);

/**
 * Checks the options of a log driver, before defaults or after.
 * @throws {EngineError} `invalid` with dockerd's text; `not_implemented` for `compress=true`
 */
export function validateLogOptions(driver: string, options: Readonly<Record<string, string>>): void {
  // Docker looks at no option of the driver `none`.
  if (driver === "none") return;
  if (driver !== "json-file")
    throw new EngineError("invalid", `error looking up logging plugin ${driver}: plugin ${JSON.stringify(driver)} not found`);
  validateMode(options);
  for (const name of Object.keys(options)) {
    if (!jsonFileOptions.has(name) && !commonOptions.has(name))
      throw new EngineError("invalid", `unknown log opt '${name}' for json-file log driver`);
  }
  jsonFileLimits(options);
}

/** @throws {EngineError} `invalid` with dockerd's text */
export function jsonFileLimits(options: Readonly<Record<string, string>>): JsonFileLimits {
  const maxSizeBytes = initialize(() => parseMaxSize(options["max-size"]));
  const maxFiles = initialize(() => parseMaxFile(options["max-file"]));
  initialize(() => checkCompress(options["compress"], maxSizeBytes, maxFiles));
  const nonBlocking = options["mode"] === "non-blocking";
  const buffer = options["max-buffer-size"];
  return { maxSizeBytes, maxFiles, nonBlocking, maxBufferBytes: buffer === undefined ? undefined : parseBufferSize(buffer) };
}

function validateMode(options: Readonly<Record<string, string>>): void {
  const { mode, "max-buffer-size": buffer, "cache-disabled": cacheDisabled } = options;
  if (mode !== undefined && mode !== "" && mode !== "blocking" && mode !== "non-blocking")
    throw new EngineError("invalid", `logger: logging mode not supported: ${mode}`);
  if (buffer !== undefined) {
    if (mode !== "non-blocking")
      throw new EngineError("invalid", "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    parseBufferSize(buffer);
  }
  if (cacheDisabled !== undefined && parseBoolean(cacheDisabled) === undefined)
    throw new EngineError("invalid", `invalid value for option cache-disabled: ${cacheDisabled}`);
}

/** What dockerd finds only when the container is started is told with the words it uses then. */
function initialize<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const kind = error instanceof EngineError ? error.kind : "invalid";
    throw new EngineError(kind, `failed to initialize logging driver: ${messageOf(error)}`, { cause: error });
  }
}

function parseMaxSize(text: string | undefined): number {
  if (text === undefined) return Infinity;
  const size = parseDecimalSize(text);
  // Go's conversion to int64 turns what is too large into a negative number.
  if (size <= 0 || size >= 2 ** 63) throw new EngineError("invalid", "max-size must be a positive number");
  return size;
}

function parseMaxFile(text: string | undefined): number {
  if (text === undefined) return 1;
  if (!/^[+-]?\d+$/.test(text)) throw new EngineError("invalid", `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const count = Number(text);
  if (Math.abs(count) >= 2 ** 63) throw new EngineError("invalid", `strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
  if (count < 1) throw new EngineError("invalid", "max-file cannot be less than 1");
  return count;
}

function checkCompress(text: string | undefined, maxSizeBytes: number, maxFiles: number): void {
  if (text === undefined) return;
  const compress = parseBoolean(text);
  if (compress === undefined) throw new EngineError("invalid", `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  if (!compress) return;
  if (maxFiles === 1 || maxSizeBytes === Infinity)
    throw new EngineError("invalid", "compress cannot be true when max-file is less than 2 or max-size is not set");
  throw new EngineError("not_implemented", "HostConfig.LogConfig.Config.compress is not supported: rotated logs are not compressed");
}

function parseBufferSize(text: string): number {
  try {
    return parseBinarySize(text);
  } catch (error) {
    throw new EngineError("invalid", `error parsing option max-buffer-size: ${messageOf(error)}`, { cause: error });
  }
}

/** Go's strconv.ParseBool. */
function parseBoolean(text: string): boolean | undefined {
  if (/^(1|t|T|true|TRUE|True)$/.test(text)) return true;
  return /^(0|f|F|false|FALSE|False)$/.test(text) ? false : undefined;
}
