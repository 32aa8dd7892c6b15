import { EngineError } from "#lib/errors.ts";
import { checkFluentdOptions } from "./fluentd/options.ts";
import { checkGelfOptions } from "./gelf/options.ts";
import { readBoolean } from "./go-values.ts";
import { logStorage, parseBufferSize } from "./storage.ts";
import { checkSyslogOptions } from "./syslog/options.ts";

type Options = Readonly<Record<string, string>>;

/** What a container's log is like when nobody says otherwise: rotated, so that no log fills the disk. */
export const defaultLogOptions: Options = { "max-size": "20m", "max-file": "5" };

const attributeOptions = ["labels", "labels-regex", "env", "env-regex", "tag"];
/** Options of every driver; Docker takes the cache's without a use where there is none. */
const commonOptions = new Set(["mode", "max-buffer-size", "cache-disabled", "cache-max-size", "cache-max-file", "cache-compress"]);

/** One driver's own options. The check is given those that are not common to all, as in Docker. */
const drivers: Readonly<Record<string, (options: Options) => void>> = {
  "json-file": (options) => refuseUnknown(options, ["max-size", "max-file", "compress", ...attributeOptions], "for json-file log driver"),
  local: (options) => refuseUnknown(options, ["max-size", "max-file", "compress"], "for log driver local"),
  journald: (options) => refuseUnknown(options, attributeOptions, "for journald log driver"),
  fluentd: (options) => checkFluentdOptions(options, attributeOptions),
  gelf: (options) => checkGelfOptions(options, attributeOptions),
  syslog: (options) => checkSyslogOptions(options, attributeOptions),
};

/**
 * Checks the options of a log driver, before defaults or after.
 * @throws {EngineError} `invalid` with dockerd's text
 */
export function validateLogOptions(driver: string, options: Options): void {
  // Docker looks at no option of the driver `none`.
  if (driver === "none") return;
  const check = Object.hasOwn(drivers, driver) ? drivers[driver] : undefined;
  if (!check) throw new EngineError("invalid", `error looking up logging plugin ${driver}: plugin ${JSON.stringify(driver)} not found`);
  validateMode(options);
  check(Object.fromEntries(Object.entries(options).filter(([name]) => !commonOptions.has(name))));
  logStorage(driver, options);
}

function validateMode(options: Options): void {
  const { mode, "max-buffer-size": buffer, "cache-disabled": cacheDisabled } = options;
  if (mode !== undefined && mode !== "" && mode !== "blocking" && mode !== "non-blocking")
    throw new EngineError("invalid", `logger: logging mode not supported: ${mode}`);
  if (buffer !== undefined) {
    if (mode !== "non-blocking")
      throw new EngineError("invalid", "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
    parseBufferSize(buffer);
  }
  if (cacheDisabled !== undefined && readBoolean(cacheDisabled) === undefined)
    throw new EngineError("invalid", `invalid value for option cache-disabled: ${cacheDisabled}`);
}

/** @throws {EngineError} `invalid` with dockerd's text */
function refuseUnknown(options: Options, known: readonly string[], place: string): void {
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw new EngineError("invalid", `unknown log opt '${name}' ${place}`);
}
