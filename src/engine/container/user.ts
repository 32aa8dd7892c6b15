import { EngineError } from "#lib/errors.ts";

/** Who runs the first process. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const maximumId = 2 ** 31 - 1;

/**
 * Looks up `user[:group]` in the image's own files. Numbers need no entry. Names are those of the container, never of the host.
 * @param passwd,group  contents of /etc/passwd and /etc/group of the container; empty when missing
 * @throws {EngineError} `invalid` with Docker's text
 */
export function resolveUser(text: string, groupAdd: readonly string[], passwd: string, group: string): ResolvedUser {
  const [userText, groupText] = splitOnce(text, ":");
  const users = parsePasswd(passwd);
  const groups = parseGroup(group);
  const byNumber = parseId(userText);
  const entry =
    users.find((user) => (userText === "" ? user.uid === 0 : user.name === userText)) ?? users.find((user) => user.uid === byNumber);
  if (!entry && byNumber === undefined && userText !== "")
    throw new EngineError("invalid", `unable to find user ${userText}: no matching entries in passwd file`);
  const uid = entry?.uid ?? byNumber ?? 0;

  const primary = groupText === undefined || groupText === "" ? undefined : findGroup(groupText, groups);
  const gid = primary ?? entry?.gid ?? 0;
  // Membership counts only when no group was named. Source: docker-run(1), --user.
  const memberships =
    primary === undefined && entry ? groups.filter(({ members }) => members.includes(entry.name)).map((found) => found.gid) : [];
  const added = groupAdd.map((name) => findGroup(name, groups));
  return { uid, gid, additionalGids: [...new Set([gid, ...memberships, ...added])], home: entry?.home || "/" };
}

function findGroup(text: string, groups: readonly GroupEntry[]): number {
  const found = groups.find((entry) => entry.name === text)?.gid ?? parseId(text);
  if (found === undefined) throw new EngineError("invalid", `unable to find group ${text}: no matching entries in group file`);
  return found;
}

function parseId(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0 || id > maximumId) throw new EngineError("invalid", `uids and gids must be in range 0-${maximumId}`);
  return id;
}

function parsePasswd(text: string): PasswdEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name, , uid, gid, , home] = line.trim().split(":");
    return name && isId(uid) ? [{ name, uid: Number(uid), gid: Number(gid) || 0, home: home ?? "" }] : [];
  });
}

function parseGroup(text: string): GroupEntry[] {
  return text.split("\n").flatMap((line) => {
    const [name, , gid, members] = line.trim().split(":");
    return name && isId(gid) ? [{ name, gid: Number(gid), members: (members ?? "").split(",").filter(Boolean) }] : [];
  });
}

function isId(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,10}$/.test(text);
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
