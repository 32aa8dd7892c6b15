import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { EngineError, messageOf } from "#lib/errors.ts";
import { defaultDataRoot, execRootOf } from "#lib/instance.ts";
import { parseMirror } from "#drivers/distribution/endpoints.ts";
import { logDrivers, type LogDriver } from "#drivers/log/drivers.ts";
import { validateLogOptions } from "#drivers/log/options.ts";
import { parseStorageDriver, type StorageDriver } from "#drivers/snapshot/storage-driver.ts";
import type { LogLevel } from "./logger.ts";
import { parsePolicy } from "#engine/image/housekeeping/policy.ts";
import { parseStorageOptions } from "./storage-options.ts";

/** Everything the daemon can be told, by flag or in daemon.json (the same names as dockerd's). */
export interface DaemonConfig {
  readonly hosts: readonly string[];
  readonly dockerSocket: boolean;
  /** Of the unix sockets; undefined: `docker` where that group exists. */
  readonly group: string | undefined;
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly pidFile: string | undefined;
  readonly debug: boolean;
  /** What Docker calls experimental: checkpoints. */
  readonly experimental: boolean;
  readonly logLevel: LogLevel;
  readonly tls: boolean;
  readonly tlsVerify: boolean;
  readonly tlsCaCert: string;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly allowInsecureTcp: boolean;
  readonly defaultRuntime: string | undefined;
  readonly storageDriver: StorageDriver | undefined;
  readonly storageOptions: readonly string[];
  readonly logDriver: LogDriver;
  readonly logOptions: Readonly<Record<string, string>>;
  /** Which images go by themselves: `parsePolicy`. */
  readonly imageGc: Readonly<Record<string, string>>;
  readonly liveRestore: boolean;
  readonly shutdownTimeoutSeconds: number;
  readonly bridgeAddress: string | undefined;
  /** Containers on the default bridge may talk to each other. */
  readonly interContainer: boolean;
  /** Whose subordinate ids containers have: `default`, `user`, `user:group`, `uid`, `uid:gid`. */
  readonly usernsRemap: string | undefined;
  readonly dns: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly dnsSearch: readonly string[];
  /** Of the group of all containers; 0: none, and no container can have any. */
  readonly cpuRealtimePeriodMicroseconds: number;
  readonly cpuRealtimeRuntimeMicroseconds: number;
  readonly cdiFolders: readonly string[];
  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** Mirrors by registry; those of `*` are for every registry that has none of its own. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** Of the daemon's own requests; empty: as its environment says. */
  readonly httpProxy: string;
  readonly httpsProxy: string;
  readonly noProxy: string;
  readonly labels: readonly string[];
  readonly initPath: string | undefined;
  readonly maximumConcurrentDownloads: number;
  readonly maximumConcurrentUploads: number;
  readonly defaultShmBytes: number;
  readonly ulimits: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>;
}

/** What may change while the daemon runs, by SIGHUP. */
const reloadable = [
  "debug",
  "logLevel",
  "labels",
  "liveRestore",
  "shutdownTimeoutSeconds",
  "imageGc",
  "registryMirrors",
  "insecureRegistries",
  "mirrors",
  "maximumConcurrentDownloads",
  "maximumConcurrentUploads",
] as const satisfies readonly (keyof DaemonConfig)[];

export type ReloadableSettings = Pick<DaemonConfig, (typeof reloadable)[number]>;

export function reloadableSettings(config: DaemonConfig): ReloadableSettings {
  return Object.fromEntries(reloadable.map((field) => [field, config[field]])) as ReloadableSettings;
}

type Kind = "text" | "texts" | "boolean" | "number" | "map" | "lists" | "ulimits";

/** One setting: its flag, its key in daemon.json, its kind, and what it sets. */
interface Setting {
  readonly flag: string;
  readonly short?: string;
  readonly key: string;
  readonly kind: Kind;
  readonly field: keyof DaemonConfig;
  readonly help: string;
}

const settings: readonly Setting[] = [
  {
    flag: "host",
    short: "H",
    key: "hosts",
    kind: "texts",
    field: "hosts",
    help: "Socket to listen on: unix:///PATH, tcp://HOST:PORT, fd://",
  },
  { flag: "docker-socket", key: "docker-socket", kind: "boolean", field: "dockerSocket", help: "Listen on /var/run/docker.sock as well" },
  { flag: "group", short: "G", key: "group", kind: "text", field: "group", help: "Group of the unix sockets" },
  { flag: "data-root", key: "data-root", kind: "text", field: "dataRoot", help: "Folder of all persistent state" },
  { flag: "exec-root", key: "exec-root", kind: "text", field: "execRoot", help: "Folder of all runtime state" },
  { flag: "pidfile", short: "p", key: "pidfile", kind: "text", field: "pidFile", help: "Where to write the daemon's pid" },
  { flag: "debug", short: "D", key: "debug", kind: "boolean", field: "debug", help: "Write debug lines to the log" },
  { flag: "experimental", key: "experimental", kind: "boolean", field: "experimental", help: "Offer checkpoints of containers" },
  { flag: "log-level", short: "l", key: "log-level", kind: "text", field: "logLevel", help: "debug, info, warn, error or fatal" },
  { flag: "tls", key: "tls", kind: "boolean", field: "tls", help: "Use TLS on tcp sockets" },
  { flag: "tlsverify", key: "tlsverify", kind: "boolean", field: "tlsVerify", help: "Use TLS and verify clients" },
  { flag: "tlscacert", key: "tlscacert", kind: "text", field: "tlsCaCert", help: "Authority of client certificates" },
  { flag: "tlscert", key: "tlscert", kind: "text", field: "tlsCert", help: "The daemon's certificate" },
  { flag: "tlskey", key: "tlskey", kind: "text", field: "tlsKey", help: "The daemon's key" },
  {
    flag: "allow-insecure-tcp",
    key: "allow-insecure-tcp",
    kind: "boolean",
    field: "allowInsecureTcp",
    help: "Allow tcp without verified TLS on other than loopback: whoever reaches it is root here",
  },
  {
    flag: "default-runtime",
    key: "default-runtime",
    kind: "text",
    field: "defaultRuntime",
    help: "crun or runc; default: crun where the host allows it",
  },
  {
    flag: "storage-driver",
    short: "s",
    key: "storage-driver",
    kind: "text",
    field: "storageDriver",
    help: "erofs, erofs-loop (through loop devices), overlay2 or vfs (copies); default: the first that works here",
  },
  {
    flag: "storage-opt",
    key: "storage-opts",
    kind: "texts",
    field: "storageOptions",
    help: "Storage option, key=value: overlay2.size=10G limits what each container writes, where the data root has project quotas",
  },
  { flag: "log-driver", key: "log-driver", kind: "text", field: "logDriver", help: "Default log driver of containers" },
  {
    flag: "image-gc",
    key: "image-gc",
    kind: "map",
    field: "imageGc",
    help: "When unused images go by themselves, key=value: enabled, high-mark, low-mark, unused-for, keep-tags, local",
  },
  { flag: "log-opt", key: "log-opts", kind: "map", field: "logOptions", help: "Default options of the log driver, key=value" },
  {
    flag: "live-restore",
    key: "live-restore",
    kind: "boolean",
    field: "liveRestore",
    help: "Leave containers running when the daemon ends (default true)",
  },
  {
    flag: "shutdown-timeout",
    key: "shutdown-timeout",
    kind: "number",
    field: "shutdownTimeoutSeconds",
    help: "Seconds for containers to stop at shutdown without live-restore",
  },
  { flag: "bip", key: "bip", kind: "text", field: "bridgeAddress", help: "Address of the default bridge, for example 172.20.0.1/16" },
  {
    flag: "icc",
    key: "icc",
    kind: "boolean",
    field: "interContainer",
    help: "Let containers on the default bridge talk to each other; without it only linked ones do (default true)",
  },
  {
    flag: "userns-remap",
    key: "userns-remap",
    kind: "text",
    field: "usernsRemap",
    help: "Run containers in user namespaces with the subordinate ids of a user: default, USER[:GROUP] or UID[:GID]",
  },
  { flag: "dns", key: "dns", kind: "texts", field: "dns", help: "Name server of containers" },
  { flag: "dns-opt", key: "dns-opts", kind: "texts", field: "dnsOptions", help: "Options of the containers' resolver" },
  { flag: "dns-search", key: "dns-search", kind: "texts", field: "dnsSearch", help: "Search domains of containers" },
  { flag: "registry-mirror", key: "registry-mirrors", kind: "texts", field: "registryMirrors", help: "Mirror of docker.io" },
  {
    flag: "insecure-registry",
    key: "insecure-registries",
    kind: "texts",
    field: "insecureRegistries",
    help: "Registry to speak plain http to",
  },
  {
    flag: "mirror",
    key: "mirrors",
    kind: "lists",
    field: "mirrors",
    help: "Mirror of one registry, HOST=URL, or of all that have none of their own, *=URL",
  },
  { flag: "http-proxy", key: "http-proxy", kind: "text", field: "httpProxy", help: "Proxy for http (default: HTTP_PROXY)" },
  { flag: "https-proxy", key: "https-proxy", kind: "text", field: "httpsProxy", help: "Proxy for https (default: HTTPS_PROXY)" },
  { flag: "no-proxy", key: "no-proxy", kind: "text", field: "noProxy", help: "Hosts and networks reached without (default: NO_PROXY)" },
  {
    flag: "cpu-rt-period",
    key: "cpu-rt-period",
    kind: "number",
    field: "cpuRealtimePeriodMicroseconds",
    help: "Length of a real-time period of all containers, in microseconds",
  },
  {
    flag: "cpu-rt-runtime",
    key: "cpu-rt-runtime",
    kind: "number",
    field: "cpuRealtimeRuntimeMicroseconds",
    help: "Real-time CPU time of all containers in each period, in microseconds (cgroup version 1)",
  },
  {
    flag: "cdi-spec-dir",
    key: "cdi-spec-dirs",
    kind: "texts",
    field: "cdiFolders",
    help: "Folder of CDI files that describe devices; an empty one: none (default /etc/cdi and /var/run/cdi)",
  },
  { flag: "label", key: "labels", kind: "texts", field: "labels", help: "Label of the daemon, key=value" },
  { flag: "init-path", key: "init-path", kind: "text", field: "initPath", help: "Program of --init" },
  {
    flag: "max-concurrent-downloads",
    key: "max-concurrent-downloads",
    kind: "number",
    field: "maximumConcurrentDownloads",
    help: "Layers downloaded at once for each pull",
  },
  {
    flag: "max-concurrent-uploads",
    key: "max-concurrent-uploads",
    kind: "number",
    field: "maximumConcurrentUploads",
    help: "Layers uploaded at once for each push",
  },
  {
    flag: "default-ulimit",
    key: "default-ulimits",
    kind: "ulimits",
    field: "ulimits",
    help: "Default limit of containers, name=soft:hard",
  },
];

const defaults: DaemonConfig = {
  hosts: [],
  dockerSocket: false,
  group: undefined,
  dataRoot: defaultDataRoot,
  execRoot: "",
  pidFile: undefined,
  debug: false,
  experimental: false,
  logLevel: "info",
  tls: false,
  tlsVerify: false,
  tlsCaCert: "",
  tlsCert: "",
  tlsKey: "",
  allowInsecureTcp: false,
  defaultRuntime: undefined,
  storageDriver: undefined,
  storageOptions: [],
  logDriver: "json-file",
  logOptions: {},
  imageGc: {},
  liveRestore: true,
  shutdownTimeoutSeconds: 15,
  bridgeAddress: undefined,
  interContainer: true,
  usernsRemap: undefined,
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
  cpuRealtimePeriodMicroseconds: 0,
  cpuRealtimeRuntimeMicroseconds: 0,
  cdiFolders: ["/etc/cdi", "/var/run/cdi"],
  registryMirrors: [],
  insecureRegistries: [],
  mirrors: {},
  httpProxy: "",
  httpsProxy: "",
  noProxy: "",
  labels: [],
  initPath: undefined,
  maximumConcurrentDownloads: 3,
  maximumConcurrentUploads: 5,
  defaultShmBytes: 64 * 1024 * 1024,
  ulimits: {},
};

export const defaultConfigFile = "/etc/gantry/daemon.json";

export interface ParsedCommandLine {
  readonly config: DaemonConfig;
  readonly configFile: string;
  readonly validateOnly: boolean;
  readonly help: boolean;
}

/** Reads flags and daemon.json. The same setting in both is refused, as dockerd does. @throws {EngineError} `invalid` naming flag or key */
export function parseDaemonArguments(
  args: readonly string[],
  readFile: (path: string) => string | undefined = readOptional,
): ParsedCommandLine {
  const flags = readFlags(args);
  const configFile = flags.special.get("config-file") ?? defaultConfigFile;
  const text = readFile(configFile);
  if (text === undefined && flags.special.has("config-file"))
    throw new EngineError("invalid", `cannot read the configuration file ${configFile}: no such file`);
  const file = text === undefined ? {} : readFileSettings(text, configFile);
  const both = Object.keys(flags.values).filter((field) => field in file && !(Array.isArray(flags.values[field]) && field !== "hosts"));
  if (both.length > 0) {
    const names = both.map((field) => settings.find((setting) => setting.field === field)?.key ?? field);
    throw new EngineError(
      "invalid",
      `unable to configure the daemon with file ${configFile}: these are given both as a flag and in the file: ${names.join(", ")}`,
    );
  }
  const merged = { ...defaults, ...file, ...flags.values } as DaemonConfig;
  const config = {
    ...merged,
    storageDriver: merged.storageDriver ? parseStorageDriver(merged.storageDriver) : undefined,
    execRoot: merged.execRoot || execRootOf(merged.dataRoot),
  };
  check(config);
  return { config, configFile, validateOnly: flags.special.has("validate"), help: flags.special.has("help") };
}

function readFlags(args: readonly string[]): { values: Record<string, unknown>; special: Map<string, string> } {
  const values: Record<string, unknown> = {};
  const special = new Map<string, string>();
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const match = /^(?:--([a-z][a-z-]*)|-([a-zA-Z]))(?:=?(.*))?$/s.exec(word);
    if (!match) throw new EngineError("invalid", `"gantry daemon" accepts no arguments: ${JSON.stringify(word)}`);
    const [, long, short, attached = ""] = match;
    const hasValue = word.includes("=") || (short !== undefined && attached !== "");
    if (long === "validate" || long === "help" || short === "h") {
      special.set(long ?? "help", "true");
      continue;
    }
    if (long === "config-file") {
      special.set("config-file", hasValue ? attached : (rest.shift() ?? ""));
      continue;
    }
    const setting = settings.find((candidate) => (long === undefined ? candidate.short === short : candidate.flag === long));
    if (!setting)
      throw new EngineError("invalid", long === undefined ? `unknown shorthand flag: '${short}' in ${word}` : `unknown flag: --${long}`);
    const text = hasValue ? attached : setting.kind === "boolean" ? "true" : rest.shift();
    if (text === undefined) throw new EngineError("invalid", `flag needs an argument: ${word}`);
    values[setting.field] = fromFlag(setting, text, values[setting.field]);
  }
  return { values, special };
}

function fromFlag(setting: Setting, text: string, before: unknown): unknown {
  const bad = (): EngineError => new EngineError("invalid", `invalid argument ${JSON.stringify(text)} for --${setting.flag}`);
  switch (setting.kind) {
    case "text":
      return text;
    case "texts":
      return [...((before as string[] | undefined) ?? []), text];
    case "boolean":
      if (!["true", "false", "1", "0"].includes(text)) throw bad();
      return text === "true" || text === "1";
    case "number":
      if (!/^-?\d+$/.test(text)) throw bad();
      return Number(text);
    case "map": {
      const at = text.indexOf("=");
      if (at <= 0) throw bad();
      return { ...(before as object | undefined), [text.slice(0, at)]: text.slice(at + 1) };
    }
    case "lists": {
      const at = text.indexOf("=");
      if (at <= 0) throw bad();
      const [name, lists] = [text.slice(0, at), (before ?? {}) as Readonly<Record<string, readonly string[]>>];
      return { ...lists, [name]: [...(lists[name] ?? []), text.slice(at + 1)] };
    }
    case "ulimits": {
      const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(text);
      if (!match) throw bad();
      const soft = Number(match[2]);
      return { ...(before as object | undefined), [match[1] ?? ""]: { soft, hard: match[3] === undefined ? soft : Number(match[3]) } };
    }
  }
}

function readFileSettings(text: string, path: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = text.trim() === "" ? {} : JSON.parse(text);
  } catch (error) {
    throw new EngineError("invalid", `unable to configure the daemon with file ${path}: ${messageOf(error)}`, { cause: error });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new EngineError("invalid", `unable to configure the daemon with file ${path}: it does not hold a JSON object`);
  }
  const values: Record<string, unknown> = {};
  const unknown: string[] = [];
  for (const [key, value] of Object.entries(withProxies(parsed as Readonly<Record<string, unknown>>))) {
    const setting = settings.find((candidate) => candidate.key === key);
    if (!setting) unknown.push(key);
    else values[setting.field] = fromFile(setting, value, path);
  }
  if (unknown.length > 0) {
    throw new EngineError(
      "invalid",
      `unable to configure the daemon with file ${path}: the following directives don't match any configuration option: ${unknown.join(", ")}`,
    );
  }
  return values;
}

/** In the file the three proxies lie in an object of their own, as dockerd has it; beside it they are unknown. */
function withProxies(file: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { proxies, ...rest } = file;
  const outside = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [proxyKeys.has(key) ? `${key} outside of proxies` : key, value]),
  );
  return isRecord(proxies) ? { ...outside, ...proxies } : proxies === undefined ? outside : file;
}

const proxyKeys: ReadonlySet<string> = new Set(["http-proxy", "https-proxy", "no-proxy"]);

function fromFile(setting: Setting, value: unknown, path: string): unknown {
  const is: Readonly<Record<Kind, () => boolean>> = {
    text: () => typeof value === "string",
    texts: () => Array.isArray(value) && value.every((entry) => typeof entry === "string"),
    boolean: () => typeof value === "boolean",
    number: () => Number.isInteger(value),
    map: () => isRecord(value) && Object.values(value).every((entry) => typeof entry === "string"),
    lists: () =>
      isRecord(value) && Object.values(value).every((list) => Array.isArray(list) && list.every((entry) => typeof entry === "string")),
    ulimits: () => isRecord(value) && Object.values(value).every(isRecord),
  };
  if (!is[setting.kind]())
    throw new EngineError("invalid", `unable to configure the daemon with file ${path}: "${setting.key}" has the wrong type`);
  if (setting.kind !== "ulimits") return value;
  const limits = value as Readonly<Record<string, Readonly<Record<string, number>>>>;
  return Object.fromEntries(
    Object.entries(limits).map(([name, limit]) => [name, { soft: limit["Soft"] ?? 0, hard: limit["Hard"] ?? limit["Soft"] ?? 0 }]),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function check(config: DaemonConfig): void {
  const oneOf = (key: string, value: string | undefined, allowed: readonly string[]): void => {
    if (value !== undefined && !allowed.includes(value))
      throw new EngineError("invalid", `invalid ${key} ${JSON.stringify(value)}: use one of ${allowed.join(", ")}`);
  };
  oneOf("log-level", config.logLevel, ["debug", "info", "warn", "error", "fatal"]);
  oneOf("log-driver", config.logDriver, logDrivers);
  parseStorageOptions(config.storageOptions, config.storageDriver);
  parsePolicy(config.imageGc);
  validateLogOptions(config.logDriver, config.logOptions);
  for (const mirror of [...config.registryMirrors, ...Object.values(config.mirrors).flat()]) parseMirror(mirror);
  for (const address of config.dns)
    if (isIP(address) === 0) throw new EngineError("invalid", `invalid dns ${JSON.stringify(address)}: it is no IP address`);
  for (const [key, path] of [
    ["data-root", config.dataRoot],
    ["exec-root", config.execRoot],
  ]) {
    if (!path?.startsWith("/")) throw new EngineError("invalid", `invalid ${key} ${JSON.stringify(path)}: an absolute path is needed`);
  }
  // conmon's sockets lie below it: bundles/ID(16)/attach.
  if (config.execRoot.length > 64)
    throw new EngineError("invalid", `exec-root is longer than 64 bytes: sockets below it could not be opened`);
  if (config.maximumConcurrentDownloads < 1)
    throw new EngineError("invalid", `invalid max concurrent downloads: ${config.maximumConcurrentDownloads}`);
  if (config.maximumConcurrentUploads < 1)
    throw new EngineError("invalid", `invalid max concurrent uploads: ${config.maximumConcurrentUploads}`);
}

function readOptional(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new EngineError("invalid", `cannot read the configuration file ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Text of `gantry daemon --help`. */
export function daemonHelp(): string {
  const rows = settings.map(({ flag, short, kind, help }) => {
    const left = `  ${short === undefined ? "    " : `-${short}, `}--${flag}${kind === "boolean" ? "" : " value"}`;
    return `${left.padEnd(38)} ${help}`;
  });
  return [
    "Usage:  gantry daemon [OPTIONS]",
    "",
    "Run the engine. Without -H it listens on unix:///run/gantry/gantry.sock.",
    "",
    "Examples:",
    "  gantry daemon",
    "  gantry daemon -H unix:///var/run/docker.sock --group docker",
    "  gantry daemon -H tcp://0.0.0.0:2376 --tlsverify --tlscacert ca.pem --tlscert cert.pem --tlskey key.pem",
    "",
    "Options:",
    ...rows,
    "      --config-file path                 Configuration file (default /etc/gantry/daemon.json)",
    "      --validate                         Check the configuration and exit",
    "",
  ].join("\n");
}
