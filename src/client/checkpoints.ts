import { path } from "./containers.ts";
import type { Transport } from "./transport.ts";

export interface Checkpoint {
  readonly Name: string;
}

/** Calls under `/containers/{id}/checkpoints`. Errors: `DaemonError`. */
export class Checkpoints {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  async list(container: string, folder: string): Promise<readonly Checkpoint[]> {
    const found = await this.#http.json<readonly Checkpoint[] | null>("GET", `/containers/${path(container)}/checkpoints`, {
      query: { dir: folder || undefined },
    });
    return found ?? [];
  }

  async create(
    container: string,
    body: { readonly CheckpointID: string; readonly CheckpointDir: string; readonly Exit: boolean },
  ): Promise<void> {
    await this.#http.text("POST", `/containers/${path(container)}/checkpoints`, { json: body });
  }

  async remove(container: string, checkpoint: string, folder: string): Promise<void> {
    const query = { dir: folder || undefined };
    await this.#http.text("DELETE", `/containers/${path(container)}/checkpoints/${path(checkpoint)}`, { query });
  }
}
