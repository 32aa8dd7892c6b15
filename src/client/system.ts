import { type Filters, filterQuery } from "./containers.ts";
import type { DiskUsage, EventMessage, PruneReport, ServerVersion } from "./shapes.ts";
import type { Transport } from "./transport.ts";

/** Calls that concern the daemon as a whole. Errors: `DaemonError`. */
export class System {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  version(): Promise<ServerVersion> {
    return this.#http.json("GET", "/version");
  }

  info(): Promise<Readonly<Record<string, unknown>>> {
    return this.#http.json("GET", "/info");
  }

  /** Ends when `until` is reached, else only when aborted. */
  events(
    options: { readonly since?: string | undefined; readonly until?: string | undefined; readonly filters?: Filters },
    signal?: AbortSignal,
  ): AsyncGenerator<EventMessage, void> {
    const query = { since: options.since || undefined, until: options.until || undefined, ...filterQuery(options.filters) };
    return this.#http.messages("GET", "/events", { query, signal });
  }

  diskUsage(): Promise<DiskUsage> {
    return this.#http.json("GET", "/system/df");
  }

  pruneBuildCache(options: { readonly all: boolean; readonly filters: Filters }): Promise<PruneReport> {
    return this.#http.json("POST", "/build/prune", { query: { all: options.all || undefined, ...filterQuery(options.filters) } });
  }
}
