import { closeSync } from "node:fs";
import { EngineError, messageOf } from "#lib/errors.ts";
import { mappedRoot } from "#lib/id-map.ts";
import { TarReader } from "#lib/tar/reader.ts";
import { hasThreadAstray } from "#os/detached-tree.ts";
import { SystemError } from "#os/libc.ts";
import { makeFilesAs } from "#os/process/file-identity.ts";
import { findChanges } from "../snapshot/diff.ts";
import { decompress, detectCompression } from "../snapshot/decompress.ts";
import { Extraction } from "./extract.ts";
import { FrameInput } from "./frame-input.ts";
import { FrameOutput } from "./frame-output.ts";
import { packContent, packPath } from "./pack.ts";
import { absolutePath, holdPath, pathError, resolvePath, toBytes, toText } from "./path.ts";
import type { ArchiveFailure, ArchiveRequest, ExtractRequest, PackRequest, StatRequest, TreeRequest } from "./protocol.ts";
import { describePath } from "./stat.ts";
import { isNamespaceSpent, openContainerTree } from "./tree.ts";

/**
 * Life of a helper that copies: one request after the other until the daemon closes the pipe.
 * @param failureOf  kind and text of anything thrown
 */
export async function serveArchives(failureOf: (error: unknown) => Omit<ArchiveFailure, "goesOn">): Promise<void> {
  const input = new FrameInput(0);
  const output = new FrameOutput(1);
  for (let frame = input.read(); frame; frame = input.read()) {
    const isServed = await serve(frame, input, output, failureOf);
    if (!isServed || isWorn()) return;
  }
}

/** Something of a container's may be held as long as this process lives. */
function isWorn(): boolean {
  return hasThreadAstray() || isNamespaceSpent();
}

/** @returns false when something of the request may be left unread */
async function serve(
  frame: Buffer,
  input: FrameInput,
  output: FrameOutput,
  failureOf: (error: unknown) => Omit<ArchiveFailure, "goesOn">,
): Promise<boolean> {
  const request = JSON.parse(frame.toString()) as ArchiveRequest; // written by our own executable
  const body = new RequestBody(input);
  try {
    await carryOut(request, body, output);
    output.end(); // nothing of the container is held any more
    return true;
  } catch (error) {
    const goesOn = !body.isOpen && !isWorn();
    output.failure({ ...failureOf(fileFailure(error)), goesOn } satisfies ArchiveFailure);
    return goesOn;
  }
}

/** The archive that follows a request to unpack one, once it was asked for. */
class RequestBody {
  readonly #input: FrameInput;
  isOpen = false;

  constructor(input: FrameInput) {
    this.#input = input;
  }

  *chunks(): Generator<Buffer<ArrayBuffer>, void> {
    yield* this.#input.body();
    this.isOpen = false;
  }
}

async function carryOut(request: ArchiveRequest, body: RequestBody, output: FrameOutput): Promise<void> {
  if (request.operation === "changes") {
    const changes = findChanges(request.upper, request.lowers);
    output.result({});
    return output.data(Buffer.from(JSON.stringify(changes)));
  }
  using _ = request.tree.idMap ? makeFilesAs(mappedRoot(request.tree.idMap)) : undefined;
  const tree = openContainerTree(request.tree);
  try {
    switch (request.operation) {
      case "stat":
        return statPath(tree, request, output);
      case "pack":
        return pack(tree, request, output);
      case "export":
        output.result({});
        return packContent(tree, output, request.tree.idMap);
      case "extract":
        return await extract(tree, request, body, output);
    }
  } finally {
    closeSync(tree);
  }
}

function statPath(tree: number, request: StatRequest, output: FrameOutput): void {
  const path = toBytes(request.path);
  using handle = hold(tree, path, request);
  output.result(describePath(tree, path, handle));
}

function pack(tree: number, request: PackRequest, output: FrameOutput): void {
  const path = toBytes(absolutePath(request.path));
  using handle = hold(tree, path, request);
  output.result(describePath(tree, path, handle));
  packPath(handle, path, output, request.tree.idMap);
}

function hold(tree: number, path: string, request: StatRequest | PackRequest) {
  try {
    return holdPath(tree, path);
  } catch (error) {
    throw pathError(error, request);
  }
}

async function extract(tree: number, request: ExtractRequest, body: RequestBody, output: FrameOutput): Promise<void> {
  const target = directoryOf(tree, request);
  refuseReadOnly(request.tree, toText(target));
  body.isOpen = true;
  output.result({}); // now the archive may come
  using extraction = new Extraction(tree, target, { ...request, idMap: request.tree.idMap });
  const reader = new TarReader(extraction);
  const chunks = body.chunks();
  const first = chunks.next();
  if (!first.done) {
    refuseOtherCompression(first.value);
    await decompress(detectCompression(first.value), again(first.value, chunks), (piece) => reader.push(piece));
    reader.finish();
  }
  extraction.finish();
}

function directoryOf(tree: number, request: ExtractRequest): string {
  try {
    const asked = toBytes(absolutePath(request.path));
    const path = resolvedPath(tree, asked);
    // Its end still says that a directory is meant.
    using handle = holdPath(tree, path + (/\/\.?$/.exec(asked)?.[0] ?? ""));
    if (handle.stat().isDirectory()) return path;
  } catch (error) {
    throw pathError(error, request);
  }
  throw new EngineError("invalid", "extraction point is not a directory");
}

function resolvedPath(tree: number, path: string): string {
  try {
    return resolvePath(tree, path, "throw");
  } catch (error) {
    if (error instanceof SystemError && error.code === "ENOTDIR") throw new EngineError("invalid", "not a directory", { cause: error });
    throw error;
  }
}

/** Said before anything is written; that it holds is the kernel's business. @param path  in the container, without links */
function refuseReadOnly(tree: TreeRequest, path: string): void {
  const holder = tree.mounts.findLast(({ destination }) => path === destination || path.startsWith(`${destination}/`));
  if (holder && !holder.writable) throw new EngineError("forbidden", "mounted volume is marked read-only");
  if (!holder && tree.readOnly) throw new EngineError("forbidden", "container rootfs is marked read-only");
}

/** Docker has programs of the host decompress these: nothing of that kind is started here (A12). */
function refuseOtherCompression(start: Uint8Array): void {
  const [a, b, c, d] = start;
  const isBzip2 = a === 0x42 && b === 0x5a && c === 0x68;
  const isXz = a === 0xfd && b === 0x37 && c === 0x7a && d === 0x58;
  if (isBzip2 || isXz)
    throw new EngineError("invalid", `archives compressed with ${isXz ? "xz" : "bzip2"} are not supported: use gzip, zstd or none`);
}

/** What the archive or the container's files do not allow is no fault of the daemon's. */
function fileFailure(error: unknown): unknown {
  if (error instanceof EngineError) return error;
  const { code = "" } = error as NodeJS.ErrnoException;
  const kind = refusals.has(code) ? "forbidden" : conflicts.has(code) ? "invalid" : undefined;
  return kind ? new EngineError(kind, messageOf(error), { cause: error }) : error;
}

const refusals: ReadonlySet<string> = new Set(["EROFS", "EPERM", "EACCES", "ETXTBSY"]);
const conflicts: ReadonlySet<string> = new Set(["EEXIST", "EISDIR", "ELOOP", "ENAMETOOLONG", "ENOENT", "ENOTDIR", "ENOTEMPTY", "EXDEV"]);

function* again<T>(first: T, rest: Iterable<T>): Generator<T, void> {
  yield first;
  yield* rest;
}
