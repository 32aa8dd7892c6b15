import { type Filters, filterQuery } from "./containers.ts";
import type {
  HistoryEntry,
  ImageDeletion,
  ImageGcPlan,
  ImageReferrer,
  ImageSummary,
  ProgressMessage,
  PruneReport,
  SearchResult,
} from "./shapes.ts";
import type { Answer, Transport } from "./transport.ts";

export interface ReferrerOptions {
  /** Empty for all. */
  readonly artifactType: string;
  readonly registryAuth?: string | undefined;
}

/** Calls under `/images`. References keep their slashes and colons, as Docker's clients send them. Errors: `DaemonError`. */
export class Images {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  list(options: { readonly all?: boolean; readonly sharedSize?: boolean; readonly manifests?: boolean; readonly filters?: Filters }) {
    return this.#http.json<readonly ImageSummary[] | null>("GET", "/images/json", {
      query: {
        all: options.all || undefined,
        manifests: options.manifests || undefined,
        "shared-size": options.sharedSize || undefined,
        ...filterQuery(options.filters),
      },
    });
  }

  /** @param options.tag  a tag or a digest; empty for all tags */
  pull(
    options: {
      readonly name: string;
      readonly tag: string;
      readonly platform?: string | undefined;
      readonly registryAuth?: string | undefined;
    },
    signal?: AbortSignal,
  ): AsyncGenerator<ProgressMessage, void> {
    return this.#http.messages("POST", "/images/create", {
      query: { fromImage: options.name, platform: options.platform || undefined, tag: options.tag || undefined },
      headers: options.registryAuth ? { "X-Registry-Auth": options.registryAuth } : {},
      signal,
    });
  }

  /** Makes an image of an archive of files. @param options.source  a URL that the daemon reads, or `-` for `archive` */
  import(
    options: {
      readonly source: string;
      readonly reference: string;
      readonly message: string;
      readonly changes: readonly string[];
      readonly platform: string;
    },
    archive: AsyncIterable<Uint8Array> | undefined,
    signal?: AbortSignal,
  ): AsyncGenerator<ProgressMessage, void> {
    const { source, reference: repo, message, changes, platform } = options;
    return this.#http.messages("POST", "/images/create", {
      query: {
        ...{ fromSrc: source, changes },
        message: message || undefined,
        platform: platform || undefined,
        repo: repo || undefined,
      },
      ...(archive && { body: archive, contentType: "text/plain" }),
      signal,
    });
  }

  /** @param options.tag  empty for all tags */
  push(
    options: { readonly name: string; readonly tag: string; readonly platform?: string | undefined; readonly registryAuth: string },
    signal?: AbortSignal,
  ): AsyncGenerator<ProgressMessage, void> {
    return this.#http.messages("POST", `/images/${reference(options.name)}/push`, {
      query: { platform: options.platform, tag: options.tag || undefined },
      headers: { "X-Registry-Auth": options.registryAuth },
      signal,
    });
  }

  /** @param options.limit  0: as many as the registry gives at once */
  async search(options: {
    readonly term: string;
    readonly limit: number;
    readonly filters: Filters;
    readonly registryAuth?: string | undefined;
  }): Promise<readonly SearchResult[]> {
    const results = await this.#http.json<readonly SearchResult[] | null>("GET", "/images/search", {
      query: { term: options.term, limit: options.limit || undefined, ...filterQuery(options.filters) },
      headers: options.registryAuth ? { "X-Registry-Auth": options.registryAuth } : {},
    });
    return results ?? [];
  }

  /** An archive of images. @param options.platform  as JSON */
  save(names: readonly string[], options: { readonly platform?: string | undefined }, signal?: AbortSignal): Promise<Answer> {
    return this.#http.stream("GET", "/images/get", { query: { names, platform: options.platform }, signal });
  }

  load(
    archive: AsyncIterable<Uint8Array>,
    options: { readonly quiet: boolean; readonly platform?: string | undefined },
    signal?: AbortSignal,
  ): Promise<Answer> {
    return this.#http.stream("POST", "/images/load", {
      query: { quiet: options.quiet, platform: options.platform },
      body: archive,
      contentType: "application/x-tar",
      signal,
    });
  }

  /** What the daemon removes by itself, and why. Gantry only. @param force  as if the disk were too full */
  gcPlan(force: boolean): Promise<ImageGcPlan> {
    return this.#http.json("GET", "/gantry/images/gc", { query: { force: force || undefined } });
  }

  gc(force: boolean): Promise<{ readonly ImagesDeleted: readonly ImageDeletion[] }> {
    return this.#http.json("POST", "/gantry/images/gc", { query: { force: force || undefined } });
  }

  /** Reads images again; the last message has the report in `aux`. Gantry only. @param names  none: everything */
  verify(names: readonly string[], signal?: AbortSignal): AsyncGenerator<ProgressMessage, void> {
    return this.#http.messages("POST", "/gantry/images/verify", { query: { names }, signal });
  }

  /** What refers to an image, here and in its registry. Gantry only. */
  referrers(name: string, options: ReferrerOptions & { readonly isLocal: boolean }): Promise<readonly ImageReferrer[]> {
    return this.#http.json("GET", `/gantry/images/${reference(name)}/referrers`, {
      query: { "artifact-type": options.artifactType || undefined, local: options.isLocal || undefined },
      headers: options.registryAuth ? { "X-Registry-Auth": options.registryAuth } : {},
    });
  }

  /** Fetches what refers to an image in its registry. Gantry only. */
  fetchReferrers(name: string, options: ReferrerOptions, signal?: AbortSignal): AsyncGenerator<ProgressMessage, void> {
    return this.#http.messages("POST", `/gantry/images/${reference(name)}/referrers`, {
      query: { "artifact-type": options.artifactType || undefined },
      headers: options.registryAuth ? { "X-Registry-Auth": options.registryAuth } : {},
      signal,
    });
  }

  async tag(source: string, repository: string, tag: string): Promise<void> {
    await this.#http.text("POST", `/images/${reference(source)}/tag`, { query: { repo: repository, tag: tag || undefined } });
  }

  async remove(name: string, options: { readonly force: boolean; readonly noPrune: boolean; readonly platforms?: readonly string[] }) {
    const deletions = await this.#http.json<readonly ImageDeletion[] | null>("DELETE", `/images/${reference(name)}`, {
      query: { force: options.force || undefined, noprune: options.noPrune || undefined, platforms: options.platforms },
    });
    return deletions ?? [];
  }

  async history(name: string, options: { readonly platform?: string | undefined } = {}): Promise<readonly HistoryEntry[]> {
    const entries = await this.#http.json<readonly HistoryEntry[] | null>("GET", `/images/${reference(name)}/history`, {
      query: { platform: options.platform },
    });
    return entries ?? [];
  }

  inspectRaw(name: string, options: { readonly platform?: string | undefined } = {}): Promise<string> {
    return this.#http.text("GET", `/images/${reference(name)}/json`, { query: { platform: options.platform } });
  }

  prune(filters: Filters): Promise<PruneReport> {
    return this.#http.json("POST", "/images/prune", { query: filterQuery(filters) });
  }
}

const reference = (name: string): string => encodeURIComponent(name).replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%40", "@");
