import { EngineError } from "#lib/errors.ts";
import { extraAttributes, logAttributes, type LoggedContainer } from "./attributes.ts";
import { isForwarding, logDrivers, type ForwardingDriver } from "./drivers.ts";
import type { RecordSource } from "./forward/types.ts";
import { initialize } from "./initialize.ts";
import { defaultLogOptions } from "./options.ts";
import { defaultTag, expandTag } from "./tag.ts";
import type { LogConfig } from "./types.ts";

type Options = Readonly<Record<string, string>>;

/**
 * Where a container's output goes, by its own options. What they say counts; without a word, a log must not fill the disk.
 * @throws {EngineError} `invalid` with dockerd's words
 */
export function logDestination(
  name: string,
  own: Options,
  container: LoggedContainer,
): Pick<LogConfig, "driver" | "options" | "attributes" | "source"> {
  const driver = logDrivers.find((known) => known === name);
  if (!driver) throw new EngineError("invalid", `error looking up logging plugin ${name}: plugin ${JSON.stringify(name)} not found`);
  if (driver === "json-file") return { driver, options: { ...defaultLogOptions, ...own }, attributes: logAttributes(own, container) };
  if (!isForwarding(driver)) return { driver, options: own, attributes: {} };
  return { driver, options: own, attributes: {}, source: initialize(() => recordSource(driver, own, container)) };
}

/** With the longest line a record of any driver has room for it, in one datagram or the chunks of one message. */
const sourceLimitBytes = 64 << 10;

function recordSource(driver: ForwardingDriver, options: Options, container: LoggedContainer): RecordSource {
  const source: RecordSource = {
    containerId: container.id,
    containerName: container.name,
    imageId: container.imageId,
    imageName: container.imageName,
    createdAt: container.createdAt,
    command: container.command.join(" "),
    tag: expandTag(options["tag"] || defaultTag, container),
    // A syslog message has no place for them.
    attributes: driver === "syslog" ? {} : extraAttributes(options, container),
  };
  // A command is in records of gelf only, and nobody chose it for the log: it is cut.
  const command = source.command.slice(0, commandLimit);
  if (JSON.stringify({ ...source, command }).length > sourceLimitBytes)
    throw new EngineError("invalid", `tag, labels and variables of each record are longer than ${sourceLimitBytes} bytes`);
  return { ...source, command };
}

const commandLimit = 8192;
