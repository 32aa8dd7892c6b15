import { EngineError, messageOf } from "#lib/errors.ts";
import { parseServerAddress, type ServerAddress, type StreamEndpoint } from "../forward/address.ts";
import { parseBoolean, parseDuration, parseUnsigned32 } from "../go-values.ts";
import { parseBinarySize } from "../size.ts";

type Options = Readonly<Record<string, string>>;

export interface FluentdOptions {
  readonly endpoint: StreamEndpoint;
  /** A container is started although the server cannot be reached. */
  readonly async: boolean;
  readonly retryWaitMilliseconds: number;
  /** Undefined: as often as it takes. */
  readonly maxRetries: number | undefined;
  readonly subSecondPrecision: boolean;
  readonly requestAck: boolean;
  /** 0: none. */
  readonly writeTimeoutMilliseconds: number;
  /** `fluentd-async` only: a connection is made anew so often, so that a name that has moved is noticed; 0: never. */
  readonly reconnectIntervalMilliseconds: number;
}

const defaults = { host: "127.0.0.1", port: "24224" };
const schemes = ["tcp", "tls", "unix"];
const defaultRetryWaitMilliseconds = 1000;
const [shortestInterval, longestInterval] = [100, 10_000];

/** Each option with what reads it; those of Docker that have no meaning here are checked all the same. */
const ownOptions: Readonly<Record<string, (text: string) => unknown>> = {
  "fluentd-address": parseAddress,
  "fluentd-async": parseBoolean,
  "fluentd-async-reconnect-interval": parseInterval,
  "fluentd-buffer-limit": parseBinarySize,
  "fluentd-max-retries": parseUnsigned32,
  "fluentd-request-ack": parseBoolean,
  "fluentd-retry-wait": parseDuration,
  "fluentd-sub-second-precision": parseBoolean,
  "fluentd-write-timeout": parseTimeout,
};

/** @throws {EngineError} `invalid` with dockerd's text. Source: moby, daemon/logger/fluentd/fluentd.go; compared with dockerd 28.5. */
export function checkFluentdOptions(options: Options, common: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!common.includes(name) && !Object.hasOwn(ownOptions, name))
      throw new EngineError("invalid", `unknown log opt '${name}' for fluentd log driver`);
  }
  for (const [name, value] of Object.entries(options)) ownOptions[name]?.(value);
}

/** Of options that have been checked. */
export function parseFluentdOptions(options: Options): FluentdOptions {
  const read = <T>(name: string, parse: (text: string) => T, otherwise: T): T => {
    const text = options[`fluentd-${name}`];
    return text === undefined ? otherwise : parse(text);
  };
  return {
    endpoint: read("address", parseAddress, parseAddress("")),
    async: read("async", parseBoolean, false),
    retryWaitMilliseconds: Math.max(0, read("retry-wait", parseDuration, defaultRetryWaitMilliseconds)),
    maxRetries: read<number | undefined>("max-retries", parseUnsigned32, undefined),
    subSecondPrecision: read("sub-second-precision", parseBoolean, false),
    requestAck: read("request-ack", parseBoolean, false),
    writeTimeoutMilliseconds: read("write-timeout", parseTimeout, 0),
    reconnectIntervalMilliseconds: read("async-reconnect-interval", parseInterval, 0),
  };
}

function parseAddress(text: string): StreamEndpoint {
  const invalid = (problem: string): EngineError => new EngineError("invalid", `invalid fluentd-address (${text}): ${problem}`);
  let address: ServerAddress;
  try {
    address = parseServerAddress(text.includes("://") ? text : `tcp://${text}`);
  } catch (error) {
    throw invalid(messageOf(error));
  }
  const { scheme, host, port, path } = address;
  if (!schemes.includes(scheme)) throw invalid(`unsupported scheme: '${scheme}'`);
  if (scheme === "unix") {
    if (path === "") throw invalid("path is empty");
    return { network: "unix", path };
  }
  if (path !== "") throw invalid("should not contain a path element");
  const place = { host: host || defaults.host, port: Number(port || defaults.port) };
  return scheme === "tls" ? { network: "tls", ...place, tls: { skipVerify: false } } : { network: "tcp", ...place };
}

function parseInterval(text: string): number {
  const fail = (problem: string): EngineError =>
    new EngineError("invalid", `invalid value for fluentd-async-reconnect-interval: ${problem}`);
  let interval: number;
  try {
    interval = parseDuration(text);
  } catch (error) {
    throw fail(messageOf(error));
  }
  if (interval !== 0 && (interval < shortestInterval || interval > longestInterval))
    throw fail(`value (${JSON.stringify(text)}) must be between 100ms and 10s`);
  return interval;
}

function parseTimeout(text: string): number {
  const name = "invalid value for fluentd-write-timeout: value must be a duration";
  let timeout: number;
  try {
    timeout = parseDuration(text);
  } catch (error) {
    throw new EngineError("invalid", `${name}: ${messageOf(error)}`);
  }
  if (timeout < 0) throw new EngineError("invalid", `${name} that is non-negative`);
  return timeout;
}
