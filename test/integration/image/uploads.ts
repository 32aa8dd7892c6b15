import type { IncomingMessage, ServerResponse } from "node:http";

interface Upload {
  readonly repository: string;
  pieces: Buffer[];
}

export interface UploadHooks {
  /** A blob has arrived whole. */
  readonly onBlob: (repository: string, digest: string, bytes: Buffer) => void;
  readonly hasBlob: (repository: string, digest: string) => boolean;
}

/** The half of a registry that takes blobs: sessions that can be gone on with, and mounts. */
export class Uploads {
  readonly #hooks: UploadHooks;
  readonly #open = new Map<string, Upload>();
  #count = 0;
  /** The next body is broken off after so many bytes, which stay. */
  breaksAfterBytes: number | undefined;
  /** Another repository's blob is only uploaded, never taken over. */
  refusesMounts = false;
  /** What stands before the path of a Location; another registry, in tests of lies. */
  locationOrigin = "";

  constructor(hooks: UploadHooks) {
    this.#hooks = hooks;
  }

  /** Sessions nobody has ended. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Has lost all of them. */
  forget(): void {
    this.#open.clear();
  }

  /** Answers a request for uploads; false: it is for something else. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const url = new URL(request.url ?? "", "http://registry");
    const [, repository = "", id = ""] = /^\/v2\/(.+)\/blobs\/uploads\/([^/]*)$/.exec(url.pathname) ?? [];
    if (repository === "") return false;
    if (request.method === "POST") this.#begin(repository, url.searchParams, response);
    else await this.#goOn(id, url.searchParams, request, response);
    return true;
  }

  #begin(repository: string, query: URLSearchParams, response: ServerResponse): void {
    const [mount, from] = [query.get("mount"), query.get("from")];
    if (mount && from && !this.refusesMounts && this.#hooks.hasBlob(from, mount)) {
      this.#hooks.onBlob(repository, mount, Buffer.alloc(0));
      response.writeHead(201, { location: `/v2/${repository}/blobs/${mount}` }).end();
      return;
    }
    const id = `upload-${++this.#count}`;
    this.#open.set(id, { repository, pieces: [] });
    this.#accepted(id, response, 202);
  }

  #accepted(id: string, response: ServerResponse, status: number): void {
    const { repository = "", pieces = [] } = this.#open.get(id) ?? {};
    const length = sizeOf(pieces);
    const location = `${this.locationOrigin}/v2/${repository}/blobs/uploads/${id}?_state=a%2Bb`;
    response.writeHead(status, { location, range: `0-${Math.max(0, length - 1)}` }).end();
  }

  async #goOn(id: string, query: URLSearchParams, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const upload = this.#open.get(id);
    if (!upload || query.get("_state") !== "a+b") return refuseUpload(response, 404, "BLOB_UPLOAD_UNKNOWN");
    if (request.method === "GET") return this.#accepted(id, response, 204);
    if (request.method === "DELETE") {
      this.#open.delete(id);
      response.writeHead(204).end();
      return;
    }
    const start = /^(\d+)-/.exec(request.headers["content-range"] ?? "")?.[1];
    if (start !== undefined && Number(start) !== sizeOf(upload.pieces)) return refuseUpload(response, 416, "BLOB_UPLOAD_INVALID");
    if (!(await this.#receive(upload, request))) return;
    if (request.method === "PATCH") return this.#accepted(id, response, 202);
    this.#finish(id, upload, query.get("digest") ?? "", response);
  }

  /** @returns false when the connection was broken off */
  async #receive(upload: Upload, request: IncomingMessage): Promise<boolean> {
    try {
      for await (const chunk of request) {
        const piece = chunk as Buffer;
        const room = this.breaksAfterBytes ?? Number.POSITIVE_INFINITY;
        upload.pieces.push(piece.subarray(0, room));
        if (piece.length >= room) {
          this.breaksAfterBytes = undefined;
          request.socket.destroy();
          return false;
        }
        if (this.breaksAfterBytes !== undefined) this.breaksAfterBytes -= piece.length;
      }
    } catch {
      return false; // the client has left
    }
    return true;
  }

  #finish(id: string, upload: Upload, digest: string, response: ServerResponse): void {
    const bytes = Buffer.concat(upload.pieces);
    if (digest !== `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}`)
      return refuseUpload(response, 400, "DIGEST_INVALID");
    this.#open.delete(id);
    this.#hooks.onBlob(upload.repository, digest, bytes);
    response.writeHead(201, { location: `/v2/${upload.repository}/blobs/${digest}`, "docker-content-digest": digest }).end();
  }
}

const sizeOf = (pieces: readonly Buffer[]): number => pieces.reduce((sum, piece) => sum + piece.length, 0);

function refuseUpload(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replaceAll("_", " ") }] }));
}
