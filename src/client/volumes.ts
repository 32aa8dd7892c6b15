import { type Filters, filterQuery, path } from "./containers.ts";
import type { PruneReport, VolumeSummary } from "./shapes.ts";
import type { Transport } from "./transport.ts";

export interface VolumeList {
  readonly Volumes?: readonly VolumeSummary[] | null;
  readonly Warnings?: readonly string[] | null;
}

/** Calls under `/volumes`. Errors: `DaemonError`. */
export class Volumes {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  list(filters?: Filters): Promise<VolumeList> {
    return this.#http.json("GET", "/volumes", { query: filterQuery(filters) });
  }

  create(body: unknown): Promise<VolumeSummary> {
    return this.#http.json("POST", "/volumes/create", { json: body });
  }

  inspectRaw(name: string): Promise<string> {
    return this.#http.text("GET", `/volumes/${path(name)}`);
  }

  async remove(name: string, options: { readonly force: boolean }): Promise<void> {
    await this.#http.text("DELETE", `/volumes/${path(name)}`, { query: { force: options.force || undefined } });
  }

  prune(filters: Filters): Promise<PruneReport> {
    return this.#http.json("POST", "/volumes/prune", { query: filterQuery(filters) });
  }
}
