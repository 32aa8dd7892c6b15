import { open } from "node:fs/promises";
import { EngineError } from "#lib/errors.ts";
import { encodeHead, endOfArchive, paddingBytes } from "#lib/tar/encode.ts";

/** A file of an archive: bytes at hand, or the first bytes of a file on disk. */
export interface ArchiveMember {
  readonly path: string;
  readonly content: Uint8Array | { readonly file: string; readonly sizeBytes: number };
}

/** What is read of a file at once; one more piece is read while the reader of the stream has one. */
const pieceBytes = 1 << 20;

/** Bytes of the whole archive. */
export function archiveBytes(folders: readonly string[], members: readonly ArchiveMember[]): number {
  const files = members.map((member) => headOf(member).length + sizeOf(member) + paddingBytes(sizeOf(member)));
  const heads = folders.map((path) => folderHead(path).length);
  return [...heads, ...files].reduce((sum, bytes) => sum + bytes, endOfArchive.length);
}

/**
 * A tar archive piece by piece, read only as fast as it is taken. The same members give the same bytes.
 * @throws {EngineError} `internal` when a file has become shorter
 */
export async function* archiveStream(
  folders: readonly string[],
  members: readonly ArchiveMember[],
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  for (const path of folders) yield folderHead(path);
  for (const member of members) {
    yield headOf(member);
    if (member.content instanceof Uint8Array) yield member.content;
    else yield* pieces(member.content, signal);
    const padding = paddingBytes(sizeOf(member));
    if (padding > 0) yield Buffer.alloc(padding);
  }
  yield endOfArchive;
}

async function* pieces(
  { file: path, sizeBytes }: { readonly file: string; readonly sizeBytes: number },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  await using file = await open(path, "r");
  const read = async (offset: number): Promise<Uint8Array> => {
    const buffer = Buffer.allocUnsafe(Math.min(pieceBytes, sizeBytes - offset));
    for (let filled = 0; filled < buffer.length;) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) throw new EngineError("internal", `${path} is shorter than it was: ${sizeBytes} bytes were expected`);
      filled += bytesRead;
    }
    return buffer;
  };
  let next = sizeBytes > 0 ? read(0) : undefined;
  try {
    for (let offset = 0; next;) {
      const piece = await next;
      signal.throwIfAborted();
      offset += piece.length;
      next = offset < sizeBytes ? read(offset) : undefined;
      yield piece;
    }
  } finally {
    await next?.catch(() => {}); // the reader has gone, or has heard of the failure
  }
}

const owner = { uid: 0, gid: 0, modified: { seconds: 0, nanoseconds: 0 } };

function folderHead(path: string): Buffer {
  return encodeHead({ ...owner, type: "directory", path: `${path}/`, mode: 0o755, sizeBytes: 0 });
}

function headOf(member: ArchiveMember): Buffer {
  return encodeHead({ ...owner, type: "file", path: member.path, mode: 0o644, sizeBytes: sizeOf(member) });
}

function sizeOf({ content }: ArchiveMember): number {
  return content instanceof Uint8Array ? content.length : content.sizeBytes;
}
