import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mediaTypes } from "#types/oci/image.ts";
import type { FixtureImage } from "./fixtures.ts";
import { Uploads } from "./uploads.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  readonly contentLength: string | undefined;
}

/** A registry on loopback that serves what it is given, honestly, unless `lie` answers first. */
export class TestRegistry {
  readonly requests: SeenRequest[] = [];
  readonly #blobs = new Map<string, Buffer>();
  /** `name@digest` of all that was uploaded or put. */
  readonly #owned = new Set<string>();
  readonly uploads = new Uploads({
    onBlob: (name, digest, bytes) => {
      this.#owned.add(`${name}@${digest}`);
      if (!this.#blobs.has(digest)) this.#blobs.set(digest, bytes);
    },
    hasBlob: (name, digest) => this.#owned.has(`${name}@${digest}`),
  });
  /** `name/manifests/tag or digest` → bytes and type. */
  readonly #manifests = new Map<string, { readonly bytes: Buffer; readonly type: string; readonly digest: string }>();
  /** Answers a request itself and returns true, or leaves it. */
  lie: Handler = () => false;
  /** Whether it lists what refers to a manifest, as distribution-spec 1.1 has it; without, it has never heard of that. */
  keepsReferrers = false;
  /** Entries on one page of that list. */
  referrersPerPage = 2;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  static async start(): Promise<TestRegistry> {
    const registry = new TestRegistry();
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Makes an image available. @returns its full name */
  put(name: string, tag: string, made: FixtureImage): string {
    for (const { digest, bytes } of [made.config, ...made.layers]) {
      this.#blobs.set(digest, bytes);
      this.#owned.add(`${name}@${digest}`);
    }
    this.putManifest(name, made.manifest.digest, made.manifest.bytes, mediaTypes.ociManifest);
    this.putManifest(name, tag, made.manifest.bytes, mediaTypes.ociManifest);
    return `${this.host}/${name}:${tag}`;
  }

  putBlob(name: string, digest: string, bytes: Buffer): void {
    this.#blobs.set(digest, bytes);
    this.#owned.add(`${name}@${digest}`);
  }

  putManifest(name: string, reference: string, bytes: Buffer, type: string): void {
    const digest = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
    this.#manifests.set(`${name}/manifests/${reference}`, { bytes, type, digest });
  }

  /** What was pushed, or put. */
  manifest(name: string, reference: string): { readonly bytes: Buffer; readonly type: string; readonly digest: string } | undefined {
    return this.#manifests.get(`${name}/manifests/${reference}`);
  }

  blob(digest: string): Buffer | undefined {
    return this.#blobs.get(digest);
  }

  /** How often a blob was asked for. */
  count(part: string): number {
    return this.requests.filter(({ method, path }) => method === "GET" && path.includes(part)).length;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    this.requests.push({
      method,
      path: url,
      authorization: headers.authorization,
      range: headers.range,
      contentLength: headers["content-length"],
    });
    response.on("error", () => {});
    if (await this.lie(request, response)) return;
    if (await this.uploads.answer(request, response)) return;
    const path = (request.url ?? url).replace(/^\/v2\//, "");
    if (path === "") return void response.writeHead(200, { "content-type": "application/json" }).end("{}");
    if (method === "PUT" && path.includes("/manifests/")) return this.#takeManifest(path, request, response);
    if (this.keepsReferrers && path.includes("/referrers/")) return this.#listReferrers(path, response);
    const manifest = this.#manifests.get(path);
    if (manifest) {
      response.writeHead(200, {
        "content-type": manifest.type,
        "content-length": manifest.bytes.length,
        "docker-content-digest": manifest.digest,
      });
      response.end(method === "HEAD" ? undefined : manifest.bytes);
      return;
    }
    const [, name = "", digest = ""] = /^(.+)\/blobs\/(sha256:[0-9a-f]+)$/.exec(path) ?? [];
    const bytes = this.#blobs.get(digest);
    if (method === "HEAD" && digest !== "")
      return void response.writeHead(this.#owned.has(`${name}@${digest}`) ? 200 : 404, { "content-length": bytes?.length ?? 0 }).end();
    if (bytes) return sendBlob(response, bytes, headers.range);
    const code = path.includes("/blobs/") ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN";
    refuse(response, 404, code, "manifest unknown");
  }

  /** Takes no manifest of blobs that it does not have. */
  async #takeManifest(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    const bytes = Buffer.concat(pieces);
    const [, name = "", reference = ""] = /^(.+)\/manifests\/(.+)$/.exec(path) ?? [];
    const {
      config,
      layers = [],
      subject,
    } = JSON.parse(bytes.toString()) as {
      config?: { digest: string };
      layers?: { digest: string; urls?: string[] }[];
      subject?: { digest: string };
    };
    const wanted = [...(config ? [config] : []), ...layers.filter(({ urls }) => !urls)];
    if (!wanted.every(({ digest }) => this.#owned.has(`${name}@${digest}`)))
      return refuse(response, 400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry");
    const type = request.headers["content-type"] ?? "";
    const digest = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
    for (const key of [reference, digest]) this.putManifest(name, key, bytes, type);
    const listed = this.keepsReferrers && subject ? { "oci-subject": subject.digest } : {};
    response.writeHead(201, { "docker-content-digest": digest, location: `/v2/${name}/manifests/${digest}`, ...listed }).end();
  }

  /** Page by page, filtered when asked to. */
  #listReferrers(path: string, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(path, "http://registry");
    const [, name = "", subject = ""] = /^\/(.+)\/referrers\/(.+)$/.exec(pathname) ?? [];
    const type = searchParams.get("artifactType");
    const all = [...this.#manifests].flatMap(([key, { bytes, digest }]) => {
      const document = JSON.parse(bytes.toString()) as Referring;
      if (key !== `${name}/manifests/${digest}` || document.subject?.digest !== subject) return [];
      const artifactType = document.artifactType ?? document.config?.mediaType;
      if (type !== null && artifactType !== type) return [];
      const { annotations } = document;
      return [{ mediaType: mediaTypes.ociManifest, digest, size: bytes.length, artifactType, ...(annotations && { annotations }) }];
    });
    const start = Number(searchParams.get("from") ?? 0);
    const end = start + this.referrersPerPage;
    const next = new URLSearchParams({ ...(type !== null && { artifactType: type }), from: String(end) });
    response.writeHead(200, {
      "content-type": mediaTypes.ociIndex,
      ...(type !== null && { "oci-filters-applied": "artifactType" }),
      ...(end < all.length && { link: `</v2/${name}/referrers/${subject}?${next.toString()}>; rel="next"` }),
    });
    response.end(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: all.slice(start, end) }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

interface Referring {
  readonly subject?: { readonly digest: string };
  readonly artifactType?: string;
  readonly config?: { readonly mediaType: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An error as registries tell it. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}

function sendBlob(response: ServerResponse, bytes: Buffer, range: string | undefined): void {
  const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
  const head = { "content-type": "application/octet-stream", "content-length": bytes.length - start };
  if (start > 0) response.writeHead(206, { ...head, "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` });
  else response.writeHead(200, head);
  response.end(bytes.subarray(start));
}
