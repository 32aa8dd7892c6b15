import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { readAll } from "../../../src/lib/tar/fixtures.ts";
import type { TarEntry } from "../../../src/lib/tar/entry.ts";
import type { TestDaemon } from "../../support/daemon.ts";
import { busybox } from "../../support/images.ts";

/** Containers and their files over the API, without any client. */
export class Copies {
  readonly #daemon: TestDaemon;

  constructor(daemon: TestDaemon) {
    this.#daemon = daemon;
  }

  async create(config: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const body = { Image: busybox, Cmd: ["sleep", "100000"], StopSignal: "SIGKILL", ...config };
    const answer = await this.#daemon.request("POST", "/containers/create", body);
    if (answer.status !== 201) throw new Error(answer.text);
    return (answer.body as { Id: string }).Id;
  }

  async run(config: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const id = await this.create(config);
    await this.act(id, "start");
    return id;
  }

  async act(id: string, action: string): Promise<void> {
    const answer = await this.#daemon.request("POST", `/containers/${id}/${action}`);
    if (answer.status >= 400) throw new Error(answer.text);
  }

  async remove(id: string): Promise<void> {
    const answer = await this.#daemon.request("DELETE", `/containers/${id}?force=1&v=1`);
    if (answer.status >= 400) throw new Error(answer.text);
  }

  /** Runs a shell line in a container; its output, errors included. */
  async shell(id: string, line: string): Promise<string> {
    const child = Bun.spawn(["docker", "-H", this.#daemon.host, "exec", id, "sh", "-c", line], { stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return (out + err).trimEnd();
  }

  get(id: string, path: string, signal?: AbortSignal): Promise<Response> {
    return this.#fetch("GET", id, `archive?path=${encodeURIComponent(path)}`, { ...(signal && { signal }) });
  }

  export(id: string): Promise<Response> {
    return this.#fetch("GET", id, "export", {});
  }

  put(id: string, path: string, body: NonNullable<RequestInit["body"]>, query = "", signal?: AbortSignal): Promise<Response> {
    return this.#fetch("PUT", id, `archive?path=${encodeURIComponent(path)}${query}`, { body, ...(signal && { signal }) });
  }

  /** An archive's entries by path, with content. */
  async entries(id: string, path: string): Promise<Map<string, { readonly entry: TarEntry; readonly content: string }>> {
    return entriesOf(await this.get(id, path));
  }

  async stat(id: string, path: string): Promise<Record<string, unknown> | undefined> {
    const answer = await this.#fetch("HEAD", id, `archive?path=${encodeURIComponent(path)}`, {});
    const header = answer.headers.get("x-docker-container-path-stat");
    return header === null ? undefined : (JSON.parse(Buffer.from(header, "base64").toString()) as Record<string, unknown>);
  }

  /** Processes that copy for this daemon. */
  helpers(): number[] {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => isHelperOf(pid, this.#daemon.pid))
      .map(Number);
  }

  /** Names of what the daemon has open. */
  descriptors(): string[] {
    const folder = `/proc/${this.#daemon.pid}/fd`;
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(`${folder}/${name}`)];
      } catch {
        return []; // closed since its number was read
      }
    });
  }

  #fetch(method: string, id: string, rest: string, init: RequestInit): Promise<Response> {
    return fetch(`http://d/containers/${id}/${rest}`, { unix: this.#daemon.socket, method, ...init });
  }
}

export async function entriesOf(answer: Response): Promise<Map<string, { readonly entry: TarEntry; readonly content: string }>> {
  if (!answer.ok) throw new Error(await answer.text());
  const found = readAll(Buffer.from(await answer.arrayBuffer()));
  return new Map(found.map(({ entry, content }) => [entry.path, { entry, content: content.toString() }]));
}

export async function messageOf(answer: Response): Promise<string> {
  return ((await answer.json()) as { message: string }).message;
}

function isHelperOf(pid: string, parent: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, "latin1");
    const [state, parentPid] = status.slice(status.lastIndexOf(")") + 2).split(" ");
    return state !== "Z" && Number(parentPid) === parent && readFileSync(`/proc/${pid}/cmdline`, "latin1").includes("internal\0archive");
  } catch {
    return false; // ended since its number was read
  }
}
