import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

/** Answers what no HTTP server would: bytes, by the first line of a request. */
export class RawServer {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  private constructor(answer: (request: { readonly method: string; readonly path: string }, socket: Socket) => void) {
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
      let head = "";
      socket.on("data", (piece) => {
        head += piece.toString("latin1");
        if (head.startsWith("\x16")) return void socket.destroy(); // no TLS here
        if (!head.includes("\r\n\r\n")) return;
        const [method = "", path = ""] = head.split(" ");
        head = "";
        answer({ method, path }, socket);
      });
    });
  }

  static async start(answer: (request: { readonly method: string; readonly path: string }, socket: Socket) => void): Promise<RawServer> {
    const server = new RawServer(answer);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Connections that are open. */
  get openCount(): number {
    return this.#sockets.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Writes a piece again and again until the other side has enough. */
export function pour(socket: Socket, piece: string): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece, "latin1"));
  };
  socket.on("drain", more);
  more();
}
