import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mediaTypes } from "#types/oci/image.ts";
import type { FixtureImage } from "./fixtures.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;

export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** A registry on loopback that serves what it is given, honestly, unless `lie` answers first. */
export class TestRegistry {
  readonly requests: SeenRequest[] = [];
  readonly #blobs = new Map<string, Buffer>();
  /** `name/manifests/tag or digest` → bytes and type. */
  readonly #manifests = new Map<string, { readonly bytes: Buffer; readonly type: string; readonly digest: string }>();
  /** Answers a request itself and returns true, or leaves it. */
  lie: Handler = () => false;
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
    for (const { digest, bytes } of [made.config, ...made.layers]) this.#blobs.set(digest, bytes);
    this.putManifest(name, made.manifest.digest, made.manifest.bytes, mediaTypes.ociManifest);
    this.putManifest(name, tag, made.manifest.bytes, mediaTypes.ociManifest);
    return `${this.host}/${name}:${tag}`;
  }

  putManifest(name: string, reference: string, bytes: Buffer, type: string): void {
    const digest = `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`;
    this.#manifests.set(`${name}/manifests/${reference}`, { bytes, type, digest });
  }

  /** How often a blob was asked for. */
  count(part: string): number {
    return this.requests.filter(({ method, path }) => method === "GET" && path.includes(part)).length;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    this.requests.push({ method, path: url, authorization: headers.authorization, range: headers.range });
    response.on("error", () => {});
    if (await this.lie(request, response)) return;
    const path = url.replace(/^\/v2\//, "");
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
    const bytes = this.#blobs.get(/\/blobs\/(sha256:[0-9a-f]+)$/.exec(path)?.[1] ?? "");
    if (bytes) return sendBlob(response, bytes, headers.range);
    const code = path.includes("/blobs/") ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN";
    refuse(response, 404, code, "manifest unknown");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
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
