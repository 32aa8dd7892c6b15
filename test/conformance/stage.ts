import { randomBytes } from "node:crypto";
import type { Finished } from "../support/docker.ts";
import { until } from "../support/until.ts";
import { runDocker } from "./docker-client.ts";
import { dieBeforeStop, eventLine, type EventMessage } from "./event.ts";
import { isMessage, namesIn, onlyWith, parseJson } from "./json-answer.ts";
import { normaliseText } from "./normalise.ts";
import type { Fact } from "./play.ts";
import { filterText } from "./query.ts";
import { partsOf, shapeOf } from "./shape.ts";
import { exchange, splitFrames, type WireAnswer, type WireRequest } from "./wire.ts";

/** The API version of the daemon the facts are recorded from: what is newer must not show in its answers. */
export const recordedVersion = "v1.51";

export interface CallOptions extends Omit<WireRequest, "method" | "path" | "body"> {
  /** Sent as JSON; a text is sent as it is. */
  readonly body?: unknown;
  /** Paths of the answer whose values are facts; "" for all. */
  readonly values?: readonly string[];
  /** Only these parts of the answer are facts, with their values. */
  readonly only?: readonly string[];
  /** Of lists, only what is the play's own. */
  readonly own?: boolean;
  /** Answer headers that are facts. */
  readonly showHeaders?: readonly string[];
  /** `v1.43`; "" for no version in the path. */
  readonly version?: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
}

interface StreamOptions extends CallOptions {
  /** The frames one by one are a fact too. */
  readonly frames?: boolean;
  /** False: without the header Upgrade. */
  readonly upgrade?: boolean;
}

interface ContainerOptions {
  readonly start?: boolean;
  readonly name?: string;
}

/** Where a play acts: one daemon, a name of its own for everything it makes, and the facts it has seen. Disposing removes what was made. */
export class Stage implements AsyncDisposable {
  /** Begins the name of everything that the play makes. */
  readonly unique = `cf${randomBytes(5).toString("hex")}z`;
  readonly facts: Fact[] = [];
  readonly socket: string;
  readonly #known = new Map<string, string>([[this.unique, "<u>"]]);
  readonly #containers = new Set<string>();
  readonly #images = new Set<string>();
  readonly #since = (Date.now() / 1000).toFixed(3);

  constructor(socket: string) {
    this.socket = socket;
  }

  /** A name of the play's own. */
  name(suffix = "c"): string {
    return `${this.unique}-${suffix}`;
  }

  /** From now on `value` reads `<word>` in the facts. */
  know(value: string, word: string): void {
    if (value.length < 6) return;
    this.#known.set(value, `<${word}>`);
  }

  /** An image reference to remove at the end. */
  ownImage(reference: string): string {
    this.#images.add(reference);
    return reference;
  }

  /** Calls the API; the answer becomes a fact. */
  async call(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    const answer = await this.#send(method, path, options);
    const type = answer.headers["content-type"] ?? "";
    const text = answer.body.toString();
    const json = type.startsWith("application/json") ? parseJson(text) : undefined;
    const shown = options.showHeaders?.map((name): [string, string] => [
      name,
      this.#clean(answer.headers[name.toLowerCase()] ?? "(absent)"),
    ]);
    this.facts.push({
      call: this.#clean(`${method} ${this.#path(path, options)}`),
      status: answer.status,
      type,
      ...(shown && { headers: Object.fromEntries(shown) }),
      body: options.headOnly ? "(not read)" : this.#body(answer.status, json, text, options),
    });
    return { status: answer.status, text, json };
  }

  /** Calls a list; the fact has the names of the play's own objects in it, or the refusal. */
  async list(path: string): Promise<void> {
    const answer = await this.#send("GET", path, {});
    const text = answer.body.toString();
    const json = parseJson(text);
    const refused = answer.status >= 400 || json === undefined;
    this.facts.push({
      call: this.#clean(`GET ${this.#path(path, {})}`),
      status: answer.status,
      type: answer.headers["content-type"] ?? "",
      body: refused ? this.#body(answer.status, json, text, {}) : namesIn(json, this.unique).map((name) => this.#clean(name)),
    });
  }

  /** Calls the API to set something up; no fact. @throws when it is refused */
  async quiet(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.#send(method, path, body === undefined ? {} : { body });
    const text = answer.body.toString();
    if (answer.status >= 400) throw new Error(`setting up, ${method} ${path}: ${answer.status} ${text}`);
    return parseJson(text);
  }

  /** Calls the API without a fact, whatever the answer is. */
  async asked(method: string, path: string, options: CallOptions = {}): Promise<{ readonly status: number; readonly text: string }> {
    const { status, body } = await this.#send(method, path, options);
    return { status, text: body.toString() };
  }

  /** Calls the API without a fact, for an answer that is no text. */
  async bytes(path: string): Promise<Uint8Array> {
    return (await this.#send("GET", path, {})).body;
  }

  /** A stream that ends by itself: attach, exec, logs. Multiplexed ones are taken apart. */
  async stream(method: string, path: string, options: StreamOptions = {}): Promise<void> {
    const upgrade = method === "POST" && options.upgrade !== false ? { Upgrade: "tcp", Connection: "Upgrade" } : undefined;
    const answer = await this.#send(method, path, { ...options, headers: { ...upgrade, ...options.headers } });
    const type = answer.headers["content-type"] ?? "";
    const multiplexed = type.includes("multiplexed") && answer.status < 300;
    const split = multiplexed ? splitFrames(answer.body) : { stdout: answer.body.toString(), stderr: "", frames: [] };
    this.facts.push({
      stream: this.#clean(`${method} ${this.#path(path, options)}`),
      status: answer.status,
      type,
      stdout: this.#clean(split.stdout),
      stderr: this.#clean(split.stderr),
    });
    if (options.frames) this.note("frames", split.frames);
  }

  /** Runs Docker's client; what it prints and its exit code become a fact. */
  docker(...args: readonly string[]): Promise<Finished> {
    return this.dockerWithInput(undefined, ...args);
  }

  async dockerWithInput(input: string | undefined, ...args: readonly string[]): Promise<Finished> {
    const finished = await runDocker(this.socket, input, args);
    this.facts.push({
      command: this.#clean(`docker ${args.join(" ")}`),
      code: finished.code,
      stdout: this.#lines(finished.stdout),
      stderr: this.#lines(finished.stderr),
    });
    return finished;
  }

  note(note: string, value: unknown): void {
    this.facts.push({ note: this.#clean(note), value: shapeOf(value, { values: [""], normalise: (text) => this.#clean(text) }) });
  }

  /** The events of what this play has made so far. @param last  action to wait for */
  async events(last: string): Promise<void> {
    let seen: EventMessage[] = [];
    await until(async () => {
      seen = (await this.readEvents()).filter((event) => this.#concerns(event));
      return seen.some((event) => event.Action === last);
    }, 8000);
    this.facts.push({ events: dieBeforeStop(seen).map((event) => this.#clean(eventLine(event))) });
  }

  /** Every event since the play began that passes the filters. */
  async readEvents(filters: Readonly<Record<string, readonly string[]>> = {}): Promise<EventMessage[]> {
    // A moment later than now: an event of this very millisecond is part of it.
    const until = (Date.now() / 1000 + 0.05).toFixed(3);
    const query = `since=${this.#since}&until=${until}&filters=${filterText(filters)}`;
    const answer = await this.#send("GET", `/events?${query}`, {});
    return answer.body
      .toString()
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as EventMessage);
  }

  /** The play's own events that pass the filters, as a fact. */
  async filteredEvents(filters: Readonly<Record<string, readonly string[]>>): Promise<void> {
    const seen = (await this.readEvents(filters)).filter((event) => this.#concerns(event));
    this.note(
      `events with ${JSON.stringify(filters)}`,
      seen.map((event) => `${event.Type} ${event.Action}`),
    );
  }

  /** A container of the test image, made without a fact. */
  async container(config: Readonly<Record<string, unknown>> = {}, options: ContainerOptions = {}): Promise<string> {
    const name = options.name ?? this.name(`c${this.#containers.size}`);
    const body = { Image: "busybox", Cmd: ["sleep", "100000"], HostConfig: {}, ...config };
    const { Id } = (await this.quiet("POST", `/containers/create?name=${name}`, body)) as { Id: string };
    this.#containers.add(Id);
    this.know(Id, `id of ${name.replace(this.unique, "<u>")}`);
    if (options.start) await this.quiet("POST", `/containers/${Id}/start`);
    return Id;
  }

  running(config: Readonly<Record<string, unknown>> = {}, name?: string): Promise<string> {
    return this.container({ StopSignal: "SIGKILL", ...config }, { start: true, ...(name && { name }) });
  }

  /** A container that has ended by itself. */
  async ended(command: readonly string[], config: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const id = await this.container({ ...config, Cmd: command }, { start: true });
    await this.quiet("POST", `/containers/${id}/wait`);
    return id;
  }

  /** Waits until a container has the state. */
  async reaches(container: string, status: string): Promise<void> {
    await until(async () => {
      const answer = (await this.quiet("GET", `/containers/${container}/json`)) as { State: { Status: string } };
      return answer.State.Status === status;
    }, 8000);
  }

  async network(name = this.name("net"), body: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { Id } = (await this.quiet("POST", "/networks/create", { Name: name, ...body })) as { Id: string };
    this.know(Id, "network id");
    return Id;
  }

  async exec(container: string, body: Readonly<Record<string, unknown>>): Promise<string> {
    const request = { AttachStdout: true, AttachStderr: true, ...body };
    const { Id } = (await this.quiet("POST", `/containers/${container}/exec`, request)) as { Id: string };
    this.know(Id, "exec id");
    return Id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const remove = (path: string): Promise<unknown> => this.#send("DELETE", path, {}).catch(() => undefined);
    const named = filterText({ name: [this.unique] });
    const containers = (await this.quiet("GET", `/containers/json?all=1&filters=${named}`)) as { Id: string }[];
    for (const { Id } of containers) await remove(`/containers/${Id}?force=1&v=1`);
    for (const id of this.#containers) await remove(`/containers/${id}?force=1&v=1`);
    const networks = (await this.quiet("GET", `/networks?filters=${named}`)) as { Id: string }[];
    for (const { Id } of networks) await remove(`/networks/${Id}`);
    const { Volumes } = (await this.quiet("GET", `/volumes?filters=${named}`)) as { Volumes: { Name: string }[] | null };
    for (const { Name } of Volumes ?? []) await remove(`/volumes/${Name}?force=1`);
    for (const reference of this.#images) await remove(`/images/${reference}?force=1`);
  }

  #send(method: string, path: string, options: CallOptions): Promise<WireAnswer> {
    const { body, ...rest } = options;
    const json = body === undefined || typeof body === "string" ? undefined : { "Content-Type": "application/json" };
    const content = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    return exchange(this.socket, {
      ...rest,
      method,
      path: this.#path(path, options),
      headers: { ...json, ...options.headers },
      ...(content !== undefined && { body: content }),
    });
  }

  #path(path: string, options: CallOptions): string {
    const version = options.version ?? recordedVersion;
    return version === "" ? path : `/${version}${path}`;
  }

  #body(status: number, json: unknown, text: string, options: CallOptions): unknown {
    if (json === undefined) return this.#clean(text);
    if (status >= 400 && isMessage(json)) return `message: ${this.#clean(json.message)}`;
    const normalise = (one: string): string => this.#clean(one);
    if (options.only) return shapeOf(partsOf(json, options.only), { values: [""], normalise });
    return shapeOf(options.own ? onlyWith(json, this.unique) : json, { ...(options.values && { values: options.values }), normalise });
  }

  #concerns(event: EventMessage): boolean {
    const text = JSON.stringify(event);
    return [...this.#known.keys()].some((known) => text.includes(known));
  }

  #clean(text: string): string {
    return normaliseText(text, this.#known);
  }

  #lines(text: string): string[] {
    const lines = this.#clean(text).split("\n");
    if (lines.at(-1) === "") lines.pop();
    // Columns are as wide as their widest cell, which may be an id or an age.
    return lines.map((line) => line.replace(/ {2,}/g, "  ").trimEnd());
  }
}
