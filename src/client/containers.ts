import type { ByteStream } from "./byte-stream.ts";
import { ConnectionError } from "./errors.ts";
import { jsonMessages } from "./json-messages.ts";
import type {
  ContainerInspection,
  ContainerStats,
  ContainerSummary,
  CreateAnswer,
  PruneReport,
  TopAnswer,
  UpdateAnswer,
  WaitAnswer,
} from "./shapes.ts";
import type { Answer, Query, Transport } from "./transport.ts";

/** Filters of a list or prune call: key → values. Sent as JSON in the query `filters`, left out when empty. */
export type Filters = Readonly<Record<string, readonly string[]>>;

export function filterQuery(filters: Filters | undefined): { readonly filters?: string } {
  if (!filters || Object.keys(filters).length === 0) return {};
  const sets = Object.entries(filters)
    .toSorted(([one], [other]) => (one < other ? -1 : 1)) // the order in which Go's clients write them
    .map(([key, values]) => [key, Object.fromEntries(values.map((value) => [value, true]))]);
  return { filters: JSON.stringify(Object.fromEntries(sets)) };
}

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly logs?: boolean;
  /** Starts the container once the streams are attached: one request instead of two. */
  readonly start?: boolean | undefined;
  readonly detachKeys?: string | undefined;
}

export interface LogsOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly details: boolean;
  readonly tail?: string | undefined;
  /** Unix time, with nanoseconds after the point. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export type WaitCondition = "not-running" | "next-exit" | "removed";

/** Calls under `/containers`. Names are ids, their prefixes or names. Errors: `DaemonError`. */
export class Containers {
  readonly #http: Transport;
  constructor(http: Transport) {
    this.#http = http;
  }

  list(options: { readonly all?: boolean; readonly limit?: number; readonly size?: boolean; readonly filters?: Filters }) {
    const query: Query = {
      ...(options.all ? { all: true } : {}),
      ...(options.limit === undefined ? {} : { limit: options.limit }),
      ...(options.size ? { size: true } : {}),
      ...filterQuery(options.filters),
    };
    return this.#http.json<readonly ContainerSummary[] | null>("GET", "/containers/json", { query });
  }

  create(body: unknown, options: { readonly name?: string | undefined; readonly platform?: string | undefined }): Promise<CreateAnswer> {
    return this.#http.json("POST", "/containers/create", {
      query: { name: options.name || undefined, platform: options.platform || undefined },
      json: body,
    });
  }

  start(name: string, options: { readonly checkpoint?: string; readonly checkpointDirectory?: string; readonly detachKeys?: string } = {}) {
    const query: Query = {
      checkpoint: options.checkpoint || undefined,
      "checkpoint-dir": options.checkpointDirectory || undefined,
    };
    return this.#done("POST", `/containers/${path(name)}/start`, query);
  }

  stop(name: string, options: StopOptions): Promise<void> {
    return this.#done("POST", `/containers/${path(name)}/stop`, stopQuery(options));
  }

  restart(name: string, options: StopOptions): Promise<void> {
    return this.#done("POST", `/containers/${path(name)}/restart`, stopQuery(options));
  }

  kill(name: string, signal: string): Promise<void> {
    return this.#done("POST", `/containers/${path(name)}/kill`, { signal: signal || undefined });
  }

  /** Freezes its processes. */
  pause(name: string): Promise<void> {
    return this.#done("POST", `/containers/${path(name)}/pause`, {});
  }

  unpause(name: string): Promise<void> {
    return this.#done("POST", `/containers/${path(name)}/unpause`, {});
  }

  rename(name: string, newName: string): Promise<void> {
    return this.#done("POST", `/containers/${path(name)}/rename`, { name: newName });
  }

  remove(name: string, options: { readonly force: boolean; readonly volumes: boolean; readonly link: boolean }): Promise<void> {
    return this.#done("DELETE", `/containers/${path(name)}`, {
      v: options.volumes || undefined,
      link: options.link || undefined,
      force: options.force || undefined,
    });
  }

  inspect(name: string): Promise<ContainerInspection> {
    return this.#http.json("GET", `/containers/${path(name)}/json`);
  }

  /** The inspection as the daemon wrote it. */
  inspectRaw(name: string, options: { readonly size: boolean }): Promise<string> {
    return this.#http.text("GET", `/containers/${path(name)}/json`, { query: { size: options.size || undefined } });
  }

  top(name: string, psArguments: readonly string[]): Promise<TopAnswer> {
    const query = { ps_args: psArguments.length > 0 ? psArguments.join(" ") : undefined };
    return this.#http.json("GET", `/containers/${path(name)}/top`, { query });
  }

  /** What it uses: once, or once a second until it is removed. */
  async *stats(name: string, options: { readonly streams: boolean }, signal?: AbortSignal): AsyncGenerator<ContainerStats, void> {
    const query = { stream: options.streams ? "1" : "0" };
    const { body } = await this.#http.stream("GET", `/containers/${path(name)}/stats`, { query, signal });
    for await (const message of jsonMessages(body)) yield message as ContainerStats; // every field is optional
  }

  update(name: string, body: unknown): Promise<UpdateAnswer> {
    return this.#http.json("POST", `/containers/${path(name)}/update`, { json: body });
  }

  prune(filters: Filters): Promise<PruneReport> {
    return this.#http.json("POST", "/containers/prune", { query: filterQuery(filters) });
  }

  resize(name: string, size: { readonly rows: number; readonly columns: number }): Promise<void> {
    return this.#done("POST", `/containers/${path(name)}/resize`, { h: size.rows, w: size.columns });
  }

  /**
   * The connection to a container's streams; with stdin it takes bytes, too. `isStarted`: the daemon has heeded `start`; others than ours do
   * not know it.
   */
  async attach(name: string, options: AttachOptions): Promise<{ readonly stream: ByteStream; readonly isStarted: boolean }> {
    const { stream, headers } = await this.#http.hijack(`/containers/${path(name)}/attach`, {
      query: {
        detachKeys: options.detachKeys || undefined,
        logs: options.logs || undefined,
        stderr: options.stderr || undefined,
        start: options.start || undefined,
        stdin: options.stdin || undefined,
        stdout: options.stdout || undefined,
        stream: true,
      },
    });
    return { stream, isStarted: headers.get("gantry-started") === "true" };
  }

  logs(name: string, options: LogsOptions, signal?: AbortSignal): Promise<Answer> {
    return this.#http.stream("GET", `/containers/${path(name)}/logs`, {
      query: {
        details: options.details || undefined,
        follow: options.follow || undefined,
        since: options.since || undefined,
        stderr: true,
        stdout: true,
        tail: options.tail ?? "all",
        timestamps: options.timestamps || undefined,
        until: options.until || undefined,
      },
      signal,
    });
  }

  /**
   * Resolves as soon as the daemon watches the container; `ended` resolves when the condition holds. Between the two the container can be
   * started without missing its end.
   */
  async wait(name: string, condition: WaitCondition, signal?: AbortSignal): Promise<{ readonly ended: Promise<WaitAnswer> }> {
    const answer = await this.#http.stream("POST", `/containers/${path(name)}/wait`, { query: { condition }, signal });
    return { ended: readWait(answer) };
  }

  /** Of a path in the container. */
  async statPath(name: string, target: string): Promise<PathStat> {
    const answer = await this.#http.stream("HEAD", `/containers/${path(name)}/archive`, { query: { path: target } });
    for await (const _ of answer.body); // none: gives the connection back
    return pathStatOf(answer);
  }

  /** A path of the container as a tar archive. */
  async copyFrom(
    name: string,
    target: string,
    signal?: AbortSignal,
  ): Promise<{ readonly stat: PathStat; readonly archive: Answer["body"] }> {
    const answer = await this.#http.stream("GET", `/containers/${path(name)}/archive`, { query: { path: target }, signal });
    return { stat: pathStatOf(answer), archive: answer.body };
  }

  /** Unpacks a tar archive in a directory of the container. */
  async copyTo(
    name: string,
    target: string,
    archive: AsyncIterable<Uint8Array>,
    options: { readonly copyUidGid: boolean },
    signal?: AbortSignal,
  ): Promise<void> {
    const query = { copyUIDGID: options.copyUidGid ? "true" : undefined, noOverwriteDirNonDir: "true", path: target };
    await this.#http.text("PUT", `/containers/${path(name)}/archive`, { query, body: archive, contentType: "application/x-tar", signal });
  }

  async changes(name: string): Promise<readonly FileChange[]> {
    return (await this.#http.json<readonly FileChange[] | null>("GET", `/containers/${path(name)}/changes`)) ?? [];
  }

  /** The whole root file system as a tar archive. */
  /** Makes an image of a container. @returns its id */
  async commit(options: {
    readonly container: string;
    /** Empty: the image gets no name. */
    readonly repository: string;
    readonly tag: string;
    readonly author: string;
    readonly comment: string;
    readonly changes: readonly string[];
    readonly pause: boolean;
  }): Promise<string> {
    const { container, repository, tag, author, comment, changes, pause } = options;
    const { Id } = await this.#http.json<{ readonly Id: string }>("POST", "/commit", {
      query: {
        ...{ container, author, comment, changes },
        repo: repository || undefined,
        tag: tag || undefined,
        ...(!pause && { pause: 0 }),
      },
    });
    return Id;
  }

  export(name: string): Promise<Answer> {
    return this.#http.stream("GET", `/containers/${path(name)}/export`);
  }

  async #done(method: string, target: string, query: Query): Promise<void> {
    await this.#http.text(method, target, { query });
  }
}

/** What the daemon says of a path, as far as it is used. */
export interface PathStat {
  /** As Go's os.FileMode. */
  readonly mode: number;
  readonly linkTarget: string;
}

export interface FileChange {
  readonly Path: string;
  /** 0 modified, 1 added, 2 deleted. */
  readonly Kind: number;
}

function pathStatOf(answer: Answer): PathStat {
  let stat: unknown;
  try {
    stat = JSON.parse(Buffer.from(answer.headers.get("x-docker-container-path-stat") ?? "", "base64").toString());
  } catch (error) {
    throw new ConnectionError("unable to decode container path stat header", { cause: error });
  }
  const { mode, linkTarget } = (stat ?? {}) as Partial<Record<keyof PathStat, unknown>>;
  return { mode: typeof mode === "number" ? mode : 0, linkTarget: typeof linkTarget === "string" ? linkTarget : "" };
}

export interface StopOptions {
  readonly signal?: string | undefined;
  /** Negative: wait for ever. */
  readonly timeoutSeconds?: number | undefined;
}

const stopQuery = (options: StopOptions): Query => ({ signal: options.signal || undefined, t: options.timeoutSeconds });

async function readWait(answer: Answer): Promise<WaitAnswer> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of answer.body) text += decoder.decode(chunk, { stream: true });
  return JSON.parse(text) as WaitAnswer;
}

/** A name as one segment of a path. Slashes stay out: no name of a container has one but the leading one of Docker's links. */
export const path = (name: string): string => encodeURIComponent(name);
