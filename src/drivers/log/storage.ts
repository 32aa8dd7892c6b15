import { EngineError, messageOf } from "#lib/errors.ts";
import { isForwarding } from "./drivers.ts";
import { parseBoolean, parseInteger } from "./go-values.ts";
import { initialize } from "./initialize.ts";
import { localFolder } from "./local/names.ts";
import { parseBinarySize, parseDecimalSize } from "./size.ts";

type Options = Readonly<Record<string, string>>;

/** The files of a container's log. */
export interface LogStorage {
  readonly form: "json" | "local";
  /** Rotation before the line that would begin at or behind this size; Infinity: never. */
  readonly maxSizeBytes: number;
  /** Files kept, the current one included; at least 1. */
  readonly maxFiles: number;
  readonly compress: boolean;
  /** Records are dropped rather than the container held back. */
  readonly nonBlocking: boolean;
  /** `non-blocking` only: how far the log may lag behind. */
  readonly maxBufferBytes: number | undefined;
}

/** Path of a container's current json-file, as `inspect` shows it; older ones end in `.1`, `.2`, … */
export function logPath(logsFolder: string, containerId: string): string {
  return `${logsFolder}/${containerId}-json.log`;
}

/** Undefined with the driver `none`. @throws {EngineError} `invalid` with dockerd's text */
export function logStorage(driver: string, options: Options): LogStorage | undefined {
  if (driver === "none") return undefined;
  const form = driver === "json-file" ? "json" : "local";
  const limits = form === "json" ? jsonFileLimits(options) : isForwarding(driver) ? cacheLimits(options) : localLimits(options);
  const buffer = options["max-buffer-size"];
  return {
    form,
    ...limits,
    nonBlocking: options["mode"] === "non-blocking",
    maxBufferBytes: buffer === undefined ? undefined : parseBufferSize(buffer),
  };
}

/** What stands for the files of a log. */
export function storedAt(form: "json" | "local", logsFolder: string, containerId: string): string {
  return form === "json" ? logPath(logsFolder, containerId) : localFolder(logsFolder);
}

/** Whether `logs` can read what a container prints: with a driver that forwards from the cache, unless there is none. */
export function isReadable(driver: string, options: Options): boolean {
  if (driver === "none") return false;
  if (!isForwarding(driver)) return true;
  return options["cache-disabled"] === undefined || !parseBoolean(options["cache-disabled"])
    ? readCacheLimits(options) !== undefined
    : false;
}

interface FileLimits {
  readonly maxSizeBytes: number;
  readonly maxFiles: number;
  readonly compress: boolean;
}

function jsonFileLimits(options: Options): FileLimits {
  const maxSizeBytes = initialize(() => parseMaxSize(options["max-size"]));
  const maxFiles = initialize(() => parseMaxFile(options["max-file"]));
  return { maxSizeBytes, maxFiles, compress: initialize(() => parseCompress(options["compress"], maxSizeBytes, maxFiles)) };
}

const defaultLocalSizeBytes = 20_000_000;
const defaultLocalFiles = 5;

/** Source: moby, daemon/logger/local/config.go; texts compared with dockerd 28.5. */
function localLimits(options: Options): FileLimits {
  return initialize(() => {
    const maxSizeBytes = named("invalid value for max-size: ", options["max-size"], parseDecimalSize) ?? defaultLocalSizeBytes;
    const maxFiles = named("invalid value for max-file: ", options["max-file"], parseInteger) ?? defaultLocalFiles;
    const compress = optional("error reading compress log option: ", options["compress"], parseBoolean) ?? true;
    if (maxFiles < 0) throw new EngineError("invalid", "max file count cannot be less than 0");
    if (compress && maxFiles <= 1) throw new EngineError("invalid", "compression cannot be enabled when max file count is 1");
    return { maxSizeBytes: Math.max(1, maxSizeBytes), maxFiles: Math.max(1, maxFiles), compress };
  });
}

/** Of options that are wrong Docker says nothing, and does without a cache; what is to be sent needs files all the same. */
function cacheLimits(options: Options): FileLimits {
  return readCacheLimits(options) ?? localLimits({});
}

function readCacheLimits(options: Options): FileLimits | undefined {
  const own: Record<string, string> = {};
  for (const name of ["max-size", "max-file", "compress"]) {
    const value = options[`cache-${name}`];
    if (value !== undefined) own[name] = value;
  }
  try {
    return localLimits(own);
  } catch (error) {
    if (error instanceof EngineError) return undefined;
    throw error;
  }
}

function named<T>(prefix: string, text: string | undefined, parse: (text: string) => T): T | undefined {
  return optional(`${prefix}${text}: `, text, parse);
}

function optional<T>(prefix: string, text: string | undefined, parse: (text: string) => T): T | undefined {
  if (text === undefined) return undefined;
  try {
    return parse(text);
  } catch (error) {
    throw new EngineError("invalid", `${prefix}${messageOf(error)}`, { cause: error });
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
  const count = parseInteger(text);
  if (count < 1) throw new EngineError("invalid", "max-file cannot be less than 1");
  return count;
}

function parseCompress(text: string | undefined, maxSizeBytes: number, maxFiles: number): boolean {
  if (text === undefined || !parseBoolean(text)) return false;
  if (maxFiles === 1 || maxSizeBytes === Infinity)
    throw new EngineError("invalid", "compress cannot be true when max-file is less than 2 or max-size is not set");
  return true;
}

/** @throws {EngineError} `invalid` */
export function parseBufferSize(text: string): number {
  return optional("error parsing option max-buffer-size: ", text, parseBinarySize) ?? 0;
}
