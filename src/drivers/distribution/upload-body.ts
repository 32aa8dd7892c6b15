import type { FileHandle } from "node:fs/promises";
import { EngineError } from "#lib/errors.ts";
import type { RequestBody } from "./transport.ts";
import type { UploadSource } from "./upload-source.ts";

const readBytes = 1 << 18;

export interface UploadBodyOptions {
  /** Open file of the source; it stays its opener's. */
  readonly file: FileHandle;
  readonly source: UploadSource;
  /** Where it begins. */
  readonly offset: number;
  /** The registry has taken what came before, and there is nothing more to give it yet. */
  readonly onWait: () => void;
  /** Told the position in the file after each piece. */
  readonly onRead: (position: number) => void;
}

/** A blob from a position on as the body of a request: read only as fast as the socket takes it, and as it is written. */
export function uploadBody(options: UploadBodyOptions): RequestBody {
  const { source, offset } = options;
  let attempt = 0;
  const open = (): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> => {
    const own = ++attempt;
    // What an attempt that was refused has not read is of no interest.
    return source.wholeBlob?.sizeBytes === offset ? new Uint8Array() : pieces(options, () => own === attempt);
  };
  return source.wholeBlob ? { sizeBytes: source.wholeBlob.sizeBytes - offset, open } : { open };
}

function pieces({ file, source, offset, onWait, onRead }: UploadBodyOptions, isWanted: () => boolean): ReadableStream<Uint8Array> {
  let position = offset;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!isWanted()) return controller.close();
        if (position === source.writtenBytes) onWait();
        await source.grown(position);
        if (!isWanted()) return controller.close();
        const buffer = Buffer.allocUnsafe(Math.min(readBytes, source.writtenBytes - position));
        if (buffer.length > 0) {
          const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
          if (bytesRead === 0) throw new EngineError("internal", "a blob of the content store is shorter than it was");
          position += bytesRead;
          controller.enqueue(buffer.subarray(0, bytesRead));
        }
        onRead(position);
        if (source.wholeBlob?.sizeBytes === position) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
