import { type Filters, filterQuery, path } from "./containers.ts";
import type { NetworkSummary, PruneReport } from "./shapes.ts";
import type { Transport } from "./transport.ts";

/** Calls under `/networks`. Errors: `DaemonError`. */
export class Networks {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  async list(filters?: Filters): Promise<readonly NetworkSummary[]> {
    return (await this.#http.json<readonly NetworkSummary[] | null>("GET", "/networks", { query: filterQuery(filters) })) ?? [];
  }

  create(body: unknown): Promise<{ readonly Id: string; readonly Warning?: string }> {
    return this.#http.json("POST", "/networks/create", { json: body });
  }

  inspectRaw(name: string, options: { readonly verbose: boolean; readonly scope?: string }): Promise<string> {
    return this.#http.text("GET", `/networks/${path(name)}`, {
      query: { scope: options.scope || undefined, verbose: options.verbose || undefined },
    });
  }

  async remove(name: string): Promise<void> {
    await this.#http.text("DELETE", `/networks/${path(name)}`);
  }

  async connect(network: string, container: string, endpoint: unknown): Promise<void> {
    await this.#http.text("POST", `/networks/${path(network)}/connect`, { json: { Container: container, EndpointConfig: endpoint } });
  }

  async disconnect(network: string, container: string, force: boolean): Promise<void> {
    await this.#http.text("POST", `/networks/${path(network)}/disconnect`, { json: { Container: container, Force: force } });
  }

  prune(filters: Filters): Promise<PruneReport> {
    return this.#http.json("POST", "/networks/prune", { query: filterQuery(filters) });
  }
}
