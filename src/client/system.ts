import { type Filters, filterQuery } from "./containers.ts";
import { jsonTexts, parseMessage } from "./json-messages.ts";
import type { DiskUsage, EventMessage, LogInAnswer, LogInRequest, PruneNoun, PrunePlan, PruneReport, ServerVersion } from "./shapes.ts";
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
  async *events(
    options: { readonly since?: string | undefined; readonly until?: string | undefined; readonly filters?: Filters },
    signal?: AbortSignal,
  ): AsyncGenerator<EventMessage, void> {
    const query = { since: options.since || undefined, until: options.until || undefined, ...filterQuery(options.filters) };
    const { body } = await this.#http.stream("GET", "/events", { query, signal });
    for await (const text of jsonTexts(body)) {
      const event = parseMessage(text) as EventMessage; // every field is optional
      const nano = /"timeNano"\s*:\s*(\d+)/.exec(text)?.[1];
      yield nano === undefined ? event : { ...event, timeNano: BigInt(nano) };
    }
  }

  /** Has the daemon check credentials at their registry. */
  async logIn(auth: LogInRequest): Promise<Partial<LogInAnswer>> {
    return (await this.#http.json<LogInAnswer | undefined>("POST", "/auth", { json: auth })) ?? {};
  }

  diskUsage(): Promise<DiskUsage> {
    return this.#http.json("GET", "/system/df");
  }

  /** What prunes would remove, one after the other; nothing is. Gantry only. */
  prunePlan(options: { readonly of: readonly PruneNoun[]; readonly filters: Filters }): Promise<PrunePlan> {
    return this.#http.json("GET", "/gantry/prune", { query: { of: options.of, ...filterQuery(options.filters) } });
  }

  pruneBuildCache(options: { readonly all: boolean; readonly filters: Filters }): Promise<PruneReport> {
    return this.#http.json("POST", "/build/prune", { query: { all: options.all || undefined, ...filterQuery(options.filters) } });
  }
}
