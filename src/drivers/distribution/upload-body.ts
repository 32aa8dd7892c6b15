import type { FileHandle } from "node:fs/promises";
import { EngineError } from "#lib/errors.ts";
import type { RequestBody } from "./transport.ts";

const readBytes = 1 << 18;

/**
 * A part of an open file as the body of a request. It is read only as fast as the socket takes it; the file stays its opener's.
 * @param onRead  told the position in the file after each piece
 */
export function fileBody(
  file: FileHandle,
  range: { readonly offset: number; readonly sizeBytes: number },
  onRead: (position: number) => void,
): RequestBody {
  const length = range.sizeBytes - range.offset;
  return { sizeBytes: length, open: () => (length === 0 ? new Uint8Array() : pieces(file, range, onRead)) };
}

function pieces(
  file: FileHandle,
  { offset, sizeBytes }: { readonly offset: number; readonly sizeBytes: number },
  onRead: (position: number) => void,
): ReadableStream<Uint8Array> {
  let position = offset;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const buffer = Buffer.allocUnsafe(Math.min(readBytes, sizeBytes - position));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
        if (bytesRead === 0) throw new EngineError("internal", "a blob of the content store is shorter than it was");
        position += bytesRead;
        controller.enqueue(buffer.subarray(0, bytesRead));
        onRead(position);
        if (position === sizeBytes) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
