import { cut } from "../../flag-kinds.ts";
import type { Flag } from "../../flags.ts";

interface Ulimit {
  readonly Name: string;
  readonly Hard: number;
  readonly Soft: number;
}

const ulimitNames = [
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
];

/** `NAME=SOFT[:HARD]`, the last one of each name; -1 is unlimited. */
export const ulimitFlag = (usage: string): Flag<readonly Ulimit[]> => ({
  kind: "ulimit",
  usage,
  defaultText: "[]",
  initial: () => [],
  set: (value, previous) => {
    const limit = parseUlimit(value);
    return [...previous.filter(({ Name }) => Name !== limit.Name), limit].toSorted((one, other) => (one.Name < other.Name ? -1 : 1));
  },
});

function parseUlimit(value: string): Ulimit {
  const [name, limits] = cut(value, "=");
  if (limits === undefined) throw new Error(`invalid ulimit argument: ${value}`);
  if (!ulimitNames.includes(name)) throw new Error(`invalid ulimit type: ${name}`);
  const [softText, hardText] = cut(limits, ":");
  if (hardText?.includes(":")) throw new Error(`too many limit value arguments - ${limits}, can only have up to two, \`soft[:hard]\``);
  const soft = integer(softText);
  const hard = hardText === undefined ? soft : integer(hardText);
  if (hard !== -1 && (soft === -1 || soft > hard))
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  return { Name: name, Hard: hard, Soft: soft };
}

function integer(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** `--cpus`: a decimal number, in billionths of a processor. */
export const cpusFlag = (usage: string): Flag<number> => ({
  kind: "decimal",
  usage,
  initial: () => 0,
  set: (value) => {
    const match = /^[+-]?(\d+(?:\.\d*)?|\.\d+)$/.exec(value);
    if (!match) throw new Error(`failed to parse ${value} as a rational number`);
    const nano = Number(value) * 1e9;
    if (Math.abs(nano - Math.round(nano)) > 1e-3) throw new Error("value is too precise");
    return Math.round(nano);
  },
});

const namedSysctls = [
  "kernel.msgmax",
  "kernel.msgmnb",
  "kernel.msgmni",
  "kernel.sem",
  "kernel.shmall",
  "kernel.shmmax",
  "kernel.shmmni",
  "kernel.shm_rmid_forced",
];

/** Only what belongs to a container's namespaces. @throws {Error} with Docker's words */
export function sysctl(value: string): string {
  const [name] = cut(value, "=");
  if (namedSysctls.includes(name) || name.startsWith("net.") || name.startsWith("fs.mqueue.")) return value;
  throw new Error(`sysctl '${value}' is not allowed`);
}

/** `NAME[:RETRIES]`. @throws {Error} with Docker's words */
export function parseRestartPolicy(value: string): { readonly Name: string; readonly MaximumRetryCount: number } {
  const [name, count] = cut(value, ":");
  if (count !== undefined && name === "") throw new Error("invalid restart policy format: no policy provided before colon");
  if (count !== undefined && count !== "" && !/^-?\d+$/.test(count))
    throw new Error("invalid restart policy format: maximum retry count must be an integer");
  return { Name: name, MaximumRetryCount: Number(count ?? 0) };
}
