import { chownSync, chmodSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, rmdirSync, unlinkSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import { EngineError } from "#lib/errors.ts";

/**
 * Binds a Unix socket with mode 0660. It is made in a folder closed to others and renamed into place, so that it is never reachable with
 * the wrong mode, and a stale one is replaced at one stroke.
 * @param group name or number of the owning group; absent: the daemon's own
 * @returns a function that removes the socket again, unless another one took its place
 * @throws {EngineError} `conflict` when another process listens there, or something that is no socket stands there; `invalid` for an
 * unknown group
 */
export async function bindUnixSocket(server: net.Server, path: string, group?: string): Promise<() => void> {
  const groupId = group === undefined ? undefined : groupIdOf(group);
  await refuseLiveSocket(path);
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const folder = mkdtempSync(join(dirname(path), ".s")); // 0700; short, for a socket's path has few bytes
  const made = join(folder, "s");
  try {
    await listening(server, { path: made });
    if (groupId !== undefined) chownSync(made, process.geteuid?.() ?? 0, groupId);
    chmodSync(made, 0o660);
    renameSync(made, path);
  } catch (error) {
    server.close();
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  rmdirSync(folder);
  const { ino, dev } = lstatSync(path);
  return () => {
    const now = lstatSync(path, { throwIfNoEntry: false });
    if (now?.ino === ino && now.dev === dev) unlinkSync(path);
  };
}

/** `server.listen` as a promise. */
export function listening(server: net.Server, where: net.ListenOptions & { readonly fd?: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

async function refuseLiveSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket()) throw new EngineError("conflict", `can't create unix socket ${path}: a file that is no socket stands there`);
  const live = await new Promise<boolean>((resolve) => {
    const socket = net.connect({ path });
    socket.once("connect", () => resolve(true));
    // Only a refused connection says that nobody listens; a full queue (EAGAIN) is someone.
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code !== "ECONNREFUSED" && error.code !== "ENOENT"));
    socket.once("close", () => socket.removeAllListeners());
    socket.once("connect", () => socket.destroy());
  });
  if (live) throw new EngineError("conflict", `can't create unix socket ${path}: another process listens on it`);
}

function groupIdOf(group: string): number {
  const line = readFileSync("/etc/group", "utf8")
    .split("\n")
    .map((text) => text.split(":"))
    .find(([name]) => name === group);
  const id = line?.[2] ?? (/^\d{1,10}$/.test(group) ? group : undefined);
  if (id === undefined) throw new EngineError("invalid", `group ${group} not found`);
  return Number(id);
}
