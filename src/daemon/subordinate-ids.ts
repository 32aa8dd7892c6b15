import { readFileSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import type { IdMap, IdRange } from "#types/record/id-map.ts";

/** What the host knows of its users, and how it gets a new one. */
export interface HostUsers {
  /** Text of a file; "" when it is missing. */
  readFile(path: string): string;
  /** Makes a system user and group of this name, with ranges of subordinate ids where it has none. */
  addUser(name: string): Promise<void>;
}

/** The user of `--userns-remap=default`. */
export const defaultRemapUser = "dockremap";

/**
 * The map of containers' user namespaces, as `--userns-remap` means it: `default`, `user`, `user:group`, `uid` or `uid:gid`. Its ranges are those
 * of the user in /etc/subuid and /etc/subgid; the group only has to exist, as with dockerd.
 * @returns undefined for root, which nothing is mapped to
 * @throws {EngineError} `invalid` naming what is missing
 * Source: subuid(5), subgid(5).
 */
export async function readIdMap(option: string, host: HostUsers): Promise<IdMap | undefined> {
  const parts = option.split(":");
  const [userPart = "", groupPart] = parts;
  if (parts.length > 2 || userPart === "" || groupPart === "")
    throw new EngineError("invalid", `invalid user/group specification in --userns-remap: ${JSON.stringify(option)}`);
  const user = await findUser(userPart, host);
  checkGroup(groupPart ?? (isNumber(userPart) ? userPart : user.name), host);
  if (user.id === 0) return undefined;
  return { uids: rangesOf("/etc/subuid", user, host), gids: rangesOf("/etc/subgid", user, host) };
}

interface User {
  readonly name: string;
  readonly id: number;
}

async function findUser(part: string, host: HostUsers): Promise<User> {
  const name = part === "default" ? defaultRemapUser : part;
  const known = findEntry(host.readFile("/etc/passwd"), name);
  const hasRanges = known !== undefined && ["/etc/subuid", "/etc/subgid"].every((file) => linesOf(file, known, host).length > 0);
  if (part === "default" && !hasRanges) await host.addUser(name);
  const user = part === "default" ? findEntry(host.readFile("/etc/passwd"), name) : known;
  if (user) return user;
  const what = isNumber(part) ? `uid ${part} has no entry in /etc/passwd` : `user ${name} is not in /etc/passwd`;
  throw new EngineError("invalid", `--userns-remap: ${what}`);
}

function checkGroup(part: string, host: HostUsers): void {
  if (findEntry(host.readFile("/etc/group"), part)) return;
  const what = isNumber(part) ? `gid ${part} has no entry in /etc/group` : `group ${part} is not in /etc/group`;
  throw new EngineError("invalid", `--userns-remap: ${what}`);
}

/** A line of /etc/passwd or /etc/group, by name or number. */
function findEntry(text: string, nameOrId: string): User | undefined {
  for (const line of text.split("\n")) {
    const [name = "", , id = ""] = line.split(":");
    if (isNumber(id) && (name === nameOrId || id === nameOrId)) return { name, id: Number(id) };
  }
  return undefined;
}

/** All ranges of the user, one after the other from the container's root on. */
function rangesOf(file: string, user: User, host: HostUsers): IdRange[] {
  const ranges: IdRange[] = [];
  let containerId = 0;
  for (const { start, size } of linesOf(file, user, host)) {
    if (start === 0) throw new EngineError("invalid", `--userns-remap: the ids of ${user.name} in ${file} begin with the host's root`);
    ranges.push({ containerId, hostId: start, size });
    containerId += size;
  }
  if (ranges.length === 0) throw new EngineError("invalid", `--userns-remap: ${file} has no ids for user ${JSON.stringify(user.name)}`);
  return ranges;
}

/** By the user's name, or where that has none, by its number. */
function linesOf(file: string, user: User, host: HostUsers): readonly { readonly start: number; readonly size: number }[] {
  const lines = host.readFile(file).split("\n");
  const of = (owner: string) =>
    lines.flatMap((line) => {
      const [name, start = "", size = ""] = line.trim().split(":");
      return name === owner && isNumber(start) && isNumber(size) && Number(size) > 0 ? [{ start: Number(start), size: Number(size) }] : [];
    });
  const byName = of(user.name);
  return byName.length > 0 ? byName : of(String(user.id));
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

const firstSubordinateId = 100_000;
const subordinateIds = 65_536;

/** The first room behind all ranges that somebody has. @param text  of /etc/subuid or /etc/subgid */
export function freeRange(text: string): { readonly first: number; readonly last: number } {
  const ends = text.split("\n").map((line) => {
    const [, start = "", size = ""] = line.trim().split(":");
    return isNumber(start) && isNumber(size) ? Number(start) + Number(size) : 0;
  });
  const first = Math.max(firstSubordinateId, ...ends);
  return { first, last: first + subordinateIds - 1 };
}

/** Of the host that this daemon runs on. */
export const hostUsers: HostUsers = {
  readFile: (path) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return ""; // no such file: nobody has an entry
    }
  },
  addUser: async (name) => {
    if (!findEntry(hostUsers.readFile("/etc/passwd"), name))
      await run("useradd", "--system", "--user-group", "--no-create-home", "--shell", "/bin/false", name);
    for (const [file, flag] of [
      ["/etc/subuid", "--add-subuids"],
      ["/etc/subgid", "--add-subgids"],
    ] as const) {
      const text = hostUsers.readFile(file);
      const { first, last } = freeRange(text);
      if (!text.split("\n").some((line) => line.startsWith(`${name}:`))) await run("usermod", flag, `${first}-${last}`, name);
    }
  },
};

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const failed = (reason: string): EngineError =>
    new EngineError("invalid", `--userns-remap=default: user ${defaultRemapUser} cannot be made: ${reason}`);
  const path = Bun.which(program, { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` });
  if (path === null) throw failed(`this host has no ${program}`);
  const child = Bun.spawn([path, ...args], { stdio: ["ignore", "ignore", "pipe"] });
  const [message, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw failed(`${program} ended with ${code}: ${message.trim()}`);
}
