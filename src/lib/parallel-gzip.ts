import { constants, crc32, deflateRaw } from "node:zlib";

/** One piece of work for a thread; small, so that other work of the threads does not wait long behind it. */
export const gzipBlockBytes = 1 << 18;
/** How far back deflate looks. Source: RFC 1951. */
const windowBytes = 1 << 15;
/** No name, no time: equal content gives equal bytes. Source: RFC 1952. */
const head = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255);
/** Makes it a little smaller than the default level of Go, which Docker uses: levels of the two are not the same. */
const level = 4;
/** An empty last block. */
const endOfDeflate = Uint8Array.of(3, 0);

/** At most so many blocks at once; one for all that compresses. */
export interface Slots {
  run<T>(body: () => Promise<T>): Promise<T>;
}

/**
 * Compresses with several threads into one ordinary gzip member: each block is deflated by itself, with the end of the one before as its
 * dictionary. The result does not depend on the number of threads. It reads `ahead` blocks ahead and no more.
 * @param blocks  of `gzipBlockBytes`, but for the last; theirs to keep until they were compressed
 */
export async function* gzipInParallel(
  blocks: AsyncIterable<Uint8Array<ArrayBuffer>>,
  { slots, ahead }: { readonly slots: Slots; readonly ahead: number },
): AsyncGenerator<Uint8Array> {
  yield head;
  const running: Promise<Uint8Array>[] = [];
  let before = new Uint8Array();
  let checksum = 0;
  let length = 0;
  try {
    for await (const block of blocks) {
      checksum = crc32(block, checksum);
      length += block.length;
      const dictionary = before;
      const deflating = slots.run(() => deflateBlock(block, dictionary));
      deflating.catch(() => {}); // told when it is its turn
      running.push(deflating);
      before = block.subarray(-windowBytes);
      if (running.length < ahead) continue;
      const first = await running.shift();
      if (first) yield first;
    }
    for (let next = running.shift(); next; next = running.shift()) yield await next;
  } finally {
    await Promise.allSettled(running);
  }
  yield Buffer.concat([endOfDeflate, trailer(checksum, length)]);
}

/** Blocks that end at a byte and are not the last. */
function deflateBlock(block: Uint8Array, dictionary: Uint8Array): Promise<Uint8Array> {
  const options = {
    level,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: gzipBlockBytes + (gzipBlockBytes >> 4),
    ...(dictionary.length > 0 && { dictionary }),
  };
  return new Promise((resolve, reject) => {
    deflateRaw(block, options, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function trailer(checksum: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(checksum, 0);
  bytes.writeUInt32LE(length % 2 ** 32, 4);
  return bytes;
}
