import { closeSync, constants, existsSync, openSync, readSync, writeSync } from "node:fs";
import { libc } from "#os/libc.ts";
import { noLines, type UnfinishedLine, type UnfinishedLines } from "./convert.ts";

/** How far a container's output has been converted; all that is needed to go on after a kill at any moment. */
export interface CursorState {
  /** Number of the spool's segment that is read, from 1; 0 when there is no spool. */
  readonly segment: number;
  readonly segmentInode: number;
  /** Position of the segment's first byte in the output since the container's start. */
  readonly segmentBase: number;
  /** Bytes of the segment that are converted. */
  readonly offset: number;
  /** Bytes at the end of the converted part that must be read as suspect (spool-record.ts) end here; 0: none. */
  readonly suspectUntil: number;
  /** Output bytes of what follows `offset` that are written already: a rotation or a full disk came in between. */
  readonly written: number;
  /** inode of the json-file, and its size when this was saved. */
  readonly fileInode: number;
  readonly fileSize: number;
  /** Bytes dropped that the log does not tell of yet. */
  readonly lostBytes: number;
  /** Output that comes before what follows `offset`: the rest of a cut line, marks of losses. */
  readonly prefix: Buffer;
  readonly unfinished: UnfinishedLines;
}

export const initialState: CursorState = {
  segment: 0,
  segmentInode: 0,
  segmentBase: 0,
  offset: 0,
  suspectUntil: 0,
  written: 0,
  fileInode: 0,
  fileSize: 0,
  lostBytes: 0,
  prefix: Buffer.alloc(0),
  unfinished: noLines,
};

/** Two unfinished lines, a prefix (the rest of one line and a mark, each with the attributes), and numbers. */
const slotBytes = 64 << 10;
const slotHeadBytes = 12;

/**
 * The cursor's file: two slots written in turn, each with a checksum. No sync: the page cache outlives a killed process, and after a power
 * loss a torn slot is seen and the other one taken.
 */
export class CursorFile {
  readonly #path: string;
  #descriptor: number | undefined;
  #sequence = 0;
  /** What was found when the file was opened. */
  readonly found: CursorState | undefined;

  /** Opens the file where there is one. */
  constructor(path: string) {
    this.#path = path;
    if (!existsSync(path)) return;
    this.#descriptor = openSync(path, constants.O_RDWR);
    this.found = this.#load(this.#descriptor);
  }

  /** False until something was saved: a container that prints nothing needs no cursor. */
  get exists(): boolean {
    return this.#descriptor !== undefined;
  }

  /** @throws ErrnoException such as `ENOSPC`; the slot before stays good */
  save(state: CursorState): void {
    const slot = encodeSlot(this.#sequence + 1, state);
    const at = ((this.#sequence + 1) % 2) * slotBytes;
    this.#descriptor ??= createSlots(this.#path);
    const written = writeSync(this.#descriptor, slot, 0, slot.length, at);
    if (written < slot.length) throw Object.assign(new Error("cursor written in part"), { code: "ENOSPC" });
    this.#sequence++;
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }

  #load(descriptor: number): CursorState | undefined {
    let newest: DecodedSlot | undefined;
    for (const index of [0, 1]) {
      const bytes = Buffer.alloc(slotBytes);
      const length = readSync(descriptor, bytes, 0, slotBytes, index * slotBytes);
      const slot = decodeSlot(bytes.subarray(0, length));
      if (slot && (!newest || slot.sequence > newest.sequence)) newest = slot;
    }
    this.#sequence = newest?.sequence ?? 0;
    return newest?.state;
  }
}

/** Blocks for both slots, so that the cursor can be saved on a full disk; where there are none now, saving may fail later, which is told. */
function createSlots(path: string): number {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  libc.fallocate(descriptor, 0, 0, 2 * slotBytes);
  return descriptor;
}

interface DecodedSlot {
  readonly sequence: number;
  readonly state: CursorState;
}

/** The numbers of a state, and the lengths of the three texts that follow them. */
interface SlotHead extends Omit<CursorState, "prefix" | "unfinished"> {
  readonly sequence: number;
  readonly prefixBytes: number;
  readonly lines: readonly { readonly bytes: number; readonly partTime?: string | undefined; readonly lastTime: string }[];
}

/** CRC-32 of the rest, length of the head, length of the whole; the head as JSON; prefix and unfinished lines as bytes. */
function encodeSlot(sequence: number, state: CursorState): Buffer {
  const { prefix, unfinished, ...numbers } = state;
  const lines = [unfinished.stdout, unfinished.stderr];
  const head: SlotHead = {
    ...numbers,
    sequence,
    prefixBytes: prefix.length,
    lines: lines.map((line) => ({ bytes: line.text.length, partTime: line.partTime, lastTime: line.lastTime })),
  };
  const text = Buffer.from(JSON.stringify(head));
  const lengths = Buffer.alloc(slotHeadBytes);
  const slot = Buffer.concat([lengths, text, prefix, ...lines.map((line) => line.text)]);
  slot.writeUInt32LE(text.length, 4);
  slot.writeUInt32LE(slot.length, 8);
  slot.writeUInt32LE(Bun.hash.crc32(slot.subarray(4)) >>> 0, 0);
  return slot;
}

function decodeSlot(bytes: Buffer): DecodedSlot | undefined {
  if (bytes.length < slotHeadBytes) return undefined;
  const headLength = bytes.readUInt32LE(4);
  const length = bytes.readUInt32LE(8);
  if (length > bytes.length || slotHeadBytes + headLength > length) return undefined;
  const slot = bytes.subarray(0, length);
  if (Bun.hash.crc32(slot.subarray(4)) >>> 0 !== slot.readUInt32LE(0)) return undefined;
  // The checksum says that encodeSlot wrote it.
  const { sequence, prefixBytes, lines, ...numbers } = JSON.parse(
    slot.toString("utf8", slotHeadBytes, slotHeadBytes + headLength),
  ) as SlotHead;
  let at = slotHeadBytes + headLength;
  const take = (count: number): Buffer => Buffer.from(slot.subarray(at, (at += count)));
  const prefix = take(prefixBytes);
  const [stdout, stderr] = lines.map(({ bytes: count, partTime, lastTime }) => restoreLine(take(count), partTime, lastTime));
  if (!stdout || !stderr) return undefined;
  return { sequence, state: { ...numbers, prefix, unfinished: { stdout, stderr } } };
}

/** A line that is not begun is always the same object, by which the converter knows it. */
function restoreLine(text: Buffer, partTime: string | undefined, lastTime: string): UnfinishedLine {
  return text.length === 0 && partTime === undefined ? noLines.stdout : { text, partTime, lastTime };
}
