import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A repository's first component says how the registry behaves there. */
const refusals: Readonly<Record<string, readonly [status: number, code: string, message: string]>> = {
  denied: [403, "DENIED", "requested access to the resource is denied"],
  unauthorized: [401, "UNAUTHORIZED", "authentication required"],
  unknown: [404, "NAME_UNKNOWN", "repository name not known to registry"],
  missing: [404, "MANIFEST_UNKNOWN", "manifest unknown"],
  broken: [500, "UNKNOWN", "something went wrong"],
};

const manifestType = "application/vnd.docker.distribution.manifest.v2+json";
const listType = "application/vnd.docker.distribution.manifest.list.v2+json";
const ociType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const config = JSON.stringify({ architecture: "arm64", os: "linux", variant: "v8", rootfs: { type: "layers", diff_ids: [] } });

const sha256 = (text: string | Uint8Array): string => `sha256:${new Bun.CryptoHasher("sha256").update(text).digest("hex")}`;

/** What it serves below `images/`, by tag. */
const documents: Readonly<Record<string, readonly [type: string, document: object]>> = {
  docker: [manifestType, manifest(manifestType, "application/vnd.docker.container.image.v1+json")],
  oci: [ociType, manifest(ociType, "application/vnd.oci.image.config.v1+json")],
  list: [listType, index(listType, manifestType)],
  index: [indexType, index(indexType, ociType)],
};

function manifest(mediaType: string, configType: string): object {
  const descriptor = { mediaType: configType, size: config.length, digest: sha256(config) };
  return { schemaVersion: 2, mediaType, config: descriptor, layers: [] };
}

function index(mediaType: string, entryType: string): object {
  const entry = (platform: object) => ({ mediaType: entryType, size: 100, digest: `sha256:${"a".repeat(64)}`, platform });
  const platforms = [
    { architecture: "amd64", os: "linux" },
    { architecture: "arm", os: "linux", variant: "v7" },
  ];
  return { schemaVersion: 2, mediaType, manifests: platforms.map(entry) };
}

/**
 * A registry for plays: takes every blob and manifest, refuses below some names, searches, and knows `alice` with the password `wonder-land`
 * where somebody must log in.
 */
export class StandInRegistry implements AsyncDisposable {
  readonly #blobs = new Map<string, Buffer>([[sha256(config), Buffer.from(config)]]);
  readonly #manifests = new Map<string, { readonly type: string; readonly bytes: Buffer }>();
  readonly #logIn: "none" | "basic" | "token";
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #uploads = 0;

  private constructor(logIn: "none" | "basic" | "token") {
    this.#logIn = logIn;
    for (const [tag, [type, document]] of Object.entries(documents)) {
      const bytes = Buffer.from(JSON.stringify(document));
      for (const reference of [tag, sha256(bytes)]) this.#manifests.set(`images/${reference}`, { type, bytes });
    }
  }

  static async start(logIn: "none" | "basic" | "token" = "none"): Promise<StandInRegistry> {
    const registry = new StandInRegistry(logIn);
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces);
    const url = new URL(request.url ?? "", `http://${this.host}`);
    if (url.pathname === "/token") return this.#token(request, response);
    if (url.pathname.startsWith("/v1/")) return search(url, response);
    if (!this.#isAllowed(request)) return this.#challenge(response);
    if (url.pathname === "/v2/") return send(response, 200, "application/json", "{}");
    const [, name = "", kind = "", reference = ""] = /^\/v2\/(.+)\/(blobs|manifests)\/(.*)$/.exec(url.pathname) ?? [];
    const refusal = refusals[name.split("/", 1)[0] ?? ""];
    if (refusal) return refuse(response, ...refusal);
    if (kind === "manifests") return this.#manifest(request, response, { name, reference, body });
    this.#blob(request, response, { url, name, reference, body });
  }

  #isAllowed({ headers }: IncomingMessage): boolean {
    if (this.#logIn === "none") return true;
    return headers.authorization === (this.#logIn === "basic" ? basic : "Bearer good");
  }

  #challenge(response: ServerResponse): void {
    const challenge = this.#logIn === "basic" ? 'Basic realm="test"' : `Bearer realm="http://${this.host}/token",service="test"`;
    response.setHeader("www-authenticate", challenge);
    refuse(response, 401, "UNAUTHORIZED", "authentication required");
  }

  #token({ headers }: IncomingMessage, response: ServerResponse): void {
    if (headers.authorization === basic)
      return send(response, 200, "application/json", JSON.stringify({ token: "good", refresh_token: "identity" }));
    refuse(response, 401, "UNAUTHORIZED", "incorrect username or password");
  }

  #manifest(
    { method, headers }: IncomingMessage,
    response: ServerResponse,
    { name, reference, body }: { readonly name: string; readonly reference: string; readonly body: Buffer },
  ): void {
    if (method === "PUT") {
      const digest = sha256(body);
      for (const key of [reference, digest]) this.#manifests.set(`${name}/${key}`, { type: headers["content-type"] ?? "", bytes: body });
      response.setHeader("docker-content-digest", digest);
      return send(response, 201, "application/json", "");
    }
    const found = this.#manifests.get(`${name}/${reference}`);
    if (!found) return refuse(response, 404, "MANIFEST_UNKNOWN", "manifest unknown");
    response.setHeader("docker-content-digest", sha256(found.bytes));
    send(response, 200, found.type, method === "HEAD" ? "" : found.bytes, found.bytes.length);
  }

  #blob(
    { method }: IncomingMessage,
    response: ServerResponse,
    { url, name, reference, body }: { readonly url: URL; readonly name: string; readonly reference: string; readonly body: Buffer },
  ): void {
    const mount = url.searchParams.get("mount");
    if (mount !== null && this.#blobs.has(mount)) {
      response.setHeader("location", `http://${this.host}/v2/${name}/blobs/${mount}`);
      response.setHeader("docker-content-digest", mount);
      return send(response, 201, "application/json", "");
    }
    if (reference.startsWith("uploads/")) {
      const id = reference.slice("uploads/".length) || `u${++this.#uploads}`;
      const whole = Buffer.concat([this.#blobs.get(id) ?? Buffer.alloc(0), body]);
      this.#blobs.set(id, whole);
      const digest = url.searchParams.get("digest");
      if (digest !== null) this.#blobs.set(digest, whole);
      response.setHeader("location", `http://${this.host}/v2/${name}/blobs/${digest ?? `uploads/${id}`}`);
      response.setHeader("range", `0-${Math.max(0, whole.length - 1)}`);
      return send(response, digest === null ? 202 : 201, "application/json", "");
    }
    const bytes = this.#blobs.get(reference);
    if (!bytes) return refuse(response, 404, "BLOB_UNKNOWN", "blob unknown to registry");
    send(response, 200, "application/octet-stream", method === "HEAD" ? "" : bytes, bytes.length);
  }
}

const basic = `Basic ${Buffer.from("alice:wonder-land").toString("base64")}`;

/** Docker Hub's search, from a short list. */
function search(url: URL, response: ServerResponse): void {
  if (url.pathname === "/v1/_ping") return send(response, 200, "application/json", '{"standalone":true}');
  const term = url.searchParams.get("q") ?? "";
  if (term === "broken") return refuse(response, 500, "UNKNOWN", "no");
  if (term === "nonsense") return send(response, 200, "application/json", "<html>");
  const results = [
    { name: "busybox", description: "Busybox base image.", star_count: 3000, is_official: true, is_automated: false },
    {
      name: "team/busybox",
      description: "A longer\ndescription of an image, which does not fit into a column of 45",
      star_count: 12,
      is_official: false,
      is_automated: true,
    },
    { name: "team/other", description: "", star_count: 0, is_official: false, is_automated: false },
  ].filter(({ name }) => name.includes(term));
  const count = Number(url.searchParams.get("n"));
  const answer = { query: term, num_results: results.length, num_pages: 1, page: 1, page_size: count, results: results.slice(0, count) };
  send(response, 200, "application/json", JSON.stringify(answer));
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array, length = body.length): void {
  response.writeHead(status, { "content-type": type, "content-length": length }).end(body);
}

function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  send(response, status, "application/json", JSON.stringify({ errors: [{ code, message, detail: {} }] }));
}
