import { busybox, loadBusybox } from "../support/images.ts";
import type { PlayBook } from "./play.ts";
import { exchange } from "./wire.ts";

/** Socket of the Docker daemon to compare with, if one is named. Only unix sockets: hijacked streams are spoken on the socket itself. */
export function peerSocket(): string | undefined {
  const host = process.env["GANTRY_PEER_DOCKER_HOST"] ?? "";
  return host.startsWith("unix://") ? host.slice("unix://".length) : undefined;
}

/** Which books can be played with the peer: it is one whose experimental features are on, or off. */
export async function playableBooks(socket: string, books: readonly PlayBook[]): Promise<readonly PlayBook[]> {
  const { headers } = await exchange(socket, { method: "GET", path: "/_ping" });
  const isExperimental = headers["docker-experimental"] === "true";
  return books.filter(({ experimental = false }) => experimental === isExperimental);
}

/** Gives the peer the image that every play uses, unless it has it. */
export async function prepare(socket: string): Promise<void> {
  const { status } = await exchange(socket, { method: "GET", path: `/images/${busybox}/json` });
  if (status !== 200) await loadBusybox({ socket });
}
