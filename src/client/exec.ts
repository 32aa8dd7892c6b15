import { path } from "./containers.ts";
import type { ExecInspection } from "./shapes.ts";
import type { Hijacked, Transport } from "./transport.ts";

export interface ExecRequest {
  readonly User: string;
  readonly Privileged: boolean;
  readonly Tty: boolean;
  readonly ConsoleSize?: readonly [height: number, width: number];
  readonly AttachStdin: boolean;
  readonly AttachStderr: boolean;
  readonly AttachStdout: boolean;
  readonly Detach?: boolean;
  readonly DetachKeys: string;
  readonly Env: readonly string[] | null;
  readonly WorkingDir: string;
  readonly Cmd: readonly string[];
}

/** Calls under `/exec`, and the one that makes an exec in a container. Errors: `DaemonError`. */
export class Execs {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  async create(container: string, request: ExecRequest): Promise<string> {
    const answer = await this.#http.json<{ readonly Id?: string } | undefined>("POST", `/containers/${path(container)}/exec`, {
      json: request,
    });
    return answer?.Id ?? "";
  }

  async startDetached(id: string, options: { readonly tty: boolean }): Promise<void> {
    await this.#http.text("POST", `/exec/${path(id)}/start`, { json: { Detach: true, Tty: options.tty } });
  }

  start(id: string, options: { readonly tty: boolean; readonly consoleSize?: readonly [number, number] | undefined }): Promise<Hijacked> {
    const size = options.consoleSize ? { ConsoleSize: options.consoleSize } : {};
    return this.#http.hijack(`/exec/${path(id)}/start`, { json: { Detach: false, Tty: options.tty, ...size } });
  }

  inspect(id: string): Promise<ExecInspection> {
    return this.#http.json("GET", `/exec/${path(id)}/json`);
  }

  async resize(id: string, size: { readonly rows: number; readonly columns: number }): Promise<void> {
    await this.#http.text("POST", `/exec/${path(id)}/resize`, { query: { h: size.rows, w: size.columns } });
  }
}
