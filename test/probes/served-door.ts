import net from "node:net";
import { FrontDoor } from "#api/http/front-door.ts";
import { listen } from "#api/http/listen.ts";
import type { AnyRoute } from "#api/http/route.ts";
import { silentLogger } from "#lib/log.ts";
import { socketFolder, until } from "./socket-folder.ts";

/** A front door on a Unix socket of its own. */
export async function servedDoor(routes: readonly AnyRoute[]) {
  const folder = socketFolder();
  const door = new FrontDoor({ routes, productVersion: "0", log: silentLogger });
  const [listener] = await listen(`unix://${folder.path("s")}`, door);
  return {
    door,
    path: folder.path("s"),
    async [Symbol.asyncDispose](): Promise<void> {
      listener?.close();
      await door.close(0);
      folder[Symbol.dispose]();
    },
  };
}

/** A connection that sends bytes as they are. */
export class RawConnection {
  readonly socket: net.Socket;
  received = "";
  ended = false;

  constructor(path: string) {
    this.socket = net.connect({ path, allowHalfOpen: true });
    this.socket.on("data", (chunk) => (this.received += chunk.toString("latin1")));
    this.socket.on("end", () => (this.ended = true));
    this.socket.on("error", () => (this.ended = true));
  }

  async until(text: string): Promise<void> {
    await until(`received ${JSON.stringify(text)}, got ${JSON.stringify(this.received.slice(-200))}`, () => this.received.includes(text));
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
