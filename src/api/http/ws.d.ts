/** What is used of Bun's own `ws`, which comes without types. Source: https://github.com/websockets/ws, doc/ws.md. */
declare module "ws" {
  import type { EventEmitter } from "node:events";
  import type { IncomingMessage } from "node:http";
  import type { Duplex } from "node:stream";

  export class WebSocket extends EventEmitter {
    binaryType: "nodebuffer" | "arraybuffer" | "fragments";
    send(content: Uint8Array | string, sent: (error?: Error) => void): void;
    pause(): void;
    resume(): void;
    close(code?: number): void;
    terminate(): void;
  }

  export class WebSocketServer extends EventEmitter {
    constructor(options: { noServer: true; clientTracking: boolean; maxPayload: number; perMessageDeflate: boolean });
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, opened: (socket: WebSocket) => void): void;
  }
}
