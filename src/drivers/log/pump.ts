import { mkdirSync } from "node:fs";
import { isDiskFull } from "#lib/disk.ts";
import { CursorFile, initialState, type CursorState } from "./cursor.ts";
import { freeBytes } from "./disk-space.ts";
import type { Backlog } from "./forward/backlog.ts";
import type { LogFileWriter } from "./log-file-writer.ts";
import { logLines, makeConverters, type Converters, type LogLines } from "./log-lines.ts";
import { backlogOf, openLogWriter } from "./log-writer.ts";
import { lossLine, lossTexts } from "./loss.ts";
import type { LogLimits, PressureReason } from "./protocol.ts";
import type { SharedOffsets } from "./shared-offsets.ts";
import { Spool } from "./spool.ts";
import { longestRecordBytes, recordEnd } from "./spool-record.ts";
import { logStorage, type LogStorage } from "./storage.ts";
import type { LogConfig, SpoolOffset } from "./types.ts";

/** Buffers that all pumps of a worker use in turn. */
export interface PumpBuffers {
  readonly input: Buffer;
  readonly converters: Converters;
}

export function pumpBuffers(): PumpBuffers {
  return { input: Buffer.allocUnsafeSlow(256 << 10), converters: makeConverters() };
}

/** News from a pump. */
export interface PumpListener {
  segment(base: SpoolOffset, descriptor: number): void;
  progress(): void;
  pressure(reason: PressureReason, on: boolean): void;
}

/** `more`: call again soon. `idle`: when the spool has grown. `full`: after a while, the disk has no room. */
export type PumpStep = "more" | "idle" | "full";

/** Free space from which dropping ends, so that it does not begin again at once. */
const recoveredFreeBytes = 8 << 20;
/** An exit is not delayed by a full disk for longer. */
const finishWaitMilliseconds = 2000;

/**
 * Carries the output of one container from the spool into its log, exactly once over kill -9: the cursor is saved after each write, and
 * what was written since is made again and skipped (convert.ts is pure). With the driver `none` the spool is only freed.
 */
export class Pump {
  readonly #config: LogConfig;
  readonly #limits: LogLimits;
  readonly #shared: SharedOffsets;
  readonly #buffers: PumpBuffers;
  readonly #listener: PumpListener;
  readonly #lines: LogLines;
  /** Undefined with the driver `none`. */
  readonly #storage: LogStorage | undefined;
  /** Opened by the first step: whoever starts a container does not wait for it. Undefined with the driver `none`. */
  #file: LogFileWriter | undefined;
  readonly #cursor: CursorFile;
  readonly #spool: Spool;
  #state: CursorState;
  #saved = false;
  /** Of a driver that forwards and may hold the container back. */
  readonly #backlog: Backlog | undefined;
  readonly #pressure = new Set<PressureReason>();
  #fullSince: number | undefined;
  #dropping = false;
  #finishSince: number | undefined;

  constructor(config: LogConfig, limits: LogLimits, shared: SharedOffsets, buffers: PumpBuffers, listener: PumpListener) {
    this.#config = config;
    this.#limits = limits;
    this.#shared = shared;
    this.#buffers = buffers;
    this.#listener = listener;
    this.#storage = logStorage(config.driver, config.options);
    this.#lines = logLines(buffers.converters, this.#storage?.form ?? "local", config.attributes);
    this.#backlog = backlogOf(config, this.#storage, limits);
    mkdirSync(config.spoolFolder, { recursive: true });
    mkdirSync(config.logsFolder, { recursive: true });
    using undo = new DisposableStack();
    this.#cursor = new CursorFile(`${config.logsFolder}/cursor`);
    undo.defer(() => this.#cursor.close());
    this.#spool = new Spool(config.spoolFolder, shared, limits, (base, descriptor) => listener.segment(base, descriptor));
    this.#state = this.#resumeSpool(this.#cursor.found ?? initialState);
    this.#dropping = this.#state.lostBytes > 0;
    undo.move();
  }

  /** True when a look at the spool's size is not enough to know that there is nothing to do. */
  get needsStep(): boolean {
    return this.#dropping || this.#pressure.size > 0 || (this.#file !== undefined && this.position !== this.end);
  }

  get containerId(): string {
    return this.#config.containerId;
  }

  /** Position of the converter, and of the end of the open segment, in the output. */
  get position(): SpoolOffset {
    return this.#state.segmentBase + this.#state.offset;
  }

  get end(): SpoolOffset {
    return this.#state.segmentBase + this.#spool.size;
  }

  /** One piece of work, a few milliseconds at most. @param now  monotonic milliseconds */
  step(now: number): PumpStep {
    if (this.#storage) this.#file ??= this.#openFile(this.#storage);
    const hasSpace = this.#spool.prepare();
    // Asked before the read: what it finds then is all.
    const complete = this.#spool.isComplete;
    this.#watchLag();
    const result = this.#file ? this.#convert(this.#file, now) : this.#skip();
    if (result === "idle" && complete) {
      this.#takeNext();
      return "more";
    }
    this.#watchDisk(hasSpace && result !== "full", now);
    if (!this.#backlog || !this.#file) return result;
    const held = this.#finishSince === undefined && this.#backlog.holds(this.#file.position.inode, now);
    this.#setPressure("server", held);
    return held && result === "idle" ? "full" : result;
  }

  /** conmon is gone; a full disk is not waited for any longer. */
  expectEnd(now: number): void {
    this.#finishSince ??= now;
  }

  /**
   * After a step that was `idle` and `expectEnd`: writes what has no newline and removes the spool. Returns the end's offset; undefined when
   * the disk is full and it is to be tried again.
   */
  finish(now: number): SpoolOffset | undefined {
    if (this.#file && !this.#writeEnd(this.#file, now)) return undefined;
    const { fileInode, fileSize, prefix, lostBytes } = this.#state;
    if (this.#cursor.exists) this.#save({ ...initialState, fileInode, fileSize, prefix, lostBytes });
    const end = this.#spool.remove();
    this.#shared.free(end);
    this.#file?.close();
    this.#cursor.close();
    return end;
  }

  /** Lets go without an end: the daemon stops, or the container's log is removed. Readers of the spool read on until `release`. */
  detach(): void {
    this.#file?.close();
    this.#cursor.close();
  }

  /** After `finish` or `detach`, when no reader is left. */
  release(): void {
    this.#spool.close();
  }

  /** Gives back what readers held until now. */
  free(): void {
    if (this.#saved) this.#spool.free(this.#state.offset, () => this.#file?.sync());
  }

  #resumeSpool(last: CursorState): CursorState {
    const { gap, ...position } = this.#spool.resume(last);
    const same = position.segment === last.segment && position.segmentInode === last.segmentInode;
    const prefix = gap ? this.#marked(last.prefix, lossTexts.gap) : last.prefix;
    return { ...last, ...position, prefix, suspectUntil: same ? last.suspectUntil : 0 };
  }

  #openFile(storage: LogStorage): LogFileWriter {
    const file = openLogWriter(this.#config, storage, this.#limits);
    const last = this.#cursor.found ?? initialState;
    const { inode, size } = file.position;
    // Another inode: the process that died had rotated, after it saved how much was written until then.
    const since = inode === last.fileInode ? size - last.fileSize : last.fileInode === 0 ? 0 : size;
    const written = last.segment === 0 ? 0 : Math.max(0, since) + last.written;
    let { prefix } = this.#state;
    // A power loss cut the last line; one that a full disk cut has its rest in the prefix.
    if (written === 0 && prefix.length === 0 && !file.endsWithLine) prefix = Buffer.from("\n");
    this.#state = { ...this.#state, prefix, written, fileInode: inode, fileSize: size };
    if (this.#cursor.exists) this.#save(this.#state);
    return file;
  }

  #convert(file: LogFileWriter, now: number): PumpStep {
    if (this.#dropping && this.#hasRecovered()) this.#endDropping();
    if (this.#storage?.nonBlocking) this.#skipBacklog();
    const { input } = this.#buffers;
    const { converter } = this.#lines;
    const { offset, unfinished, prefix, suspectUntil } = this.#state;
    const length = this.#spool.read(input, offset);
    if (length === 0 && (prefix.length === 0 || this.#dropping)) return "idle";
    this.#lines.begin(unfinished, prefix);
    if (length === 0) return this.#write(file, 0, now);
    const used = converter.convert(input, length, offset < suspectUntil);
    if (used === 0) return this.#passDamage(length);
    return this.#write(file, used, now);
  }

  /** Writes the converter's output, of which `written` bytes are in the file already, and moves `used` bytes on. */
  #write(file: LogFileWriter, used: number, now: number): PumpStep {
    const { converter } = this.#lines;
    const before = this.#state;
    // Before the first byte: what is in the file without a cursor was there before this run.
    if (!this.#cursor.exists && converter.length > 0) this.#save(before);
    const start = Math.min(before.written, converter.length);
    const reached = this.#dropping ? start : file.write(converter.output, start, converter.length, (at) => this.#saveWritten(file, at));
    const all = reached === converter.length;
    if (!all && !this.#dropping) {
      this.#saveWritten(file, reached);
      if (!this.#hasWaited(now)) return "full";
      this.#beginDropping();
    }
    const rest = all ? noBytes : this.#restAt(reached);
    const { position } = file;
    this.#save({
      ...this.#state,
      offset: before.offset + used,
      written: all ? Math.max(0, before.written - converter.length) : 0,
      fileInode: position.inode,
      fileSize: position.size,
      prefix: rest,
      lostBytes: before.lostBytes + (converter.length - reached - rest.length),
      unfinished: converter.unfinished,
    });
    this.free();
    if (this.#shared.following && all) this.#listener.progress();
    return used === 0 ? "idle" : "more";
  }

  /** What must still come when the rest of the output is dropped: a prefix as it is, a line that is cut shortened. */
  #restAt(reached: number): Buffer {
    const { prefix } = this.#state;
    if (reached < prefix.length) return prefix.subarray(reached);
    const { converter, format } = this.#lines;
    return format.restOfLine(converter.output, reached, converter.length);
  }

  #saveWritten(file: LogFileWriter, written: number): boolean {
    const { inode, size } = file.position;
    return this.#save({ ...this.#state, written, fileInode: inode, fileSize: size });
  }

  /** A piece without a whole record: its rest has yet to come, unless none will, or it is no record at all. */
  #passDamage(length: number): PumpStep {
    const full = length === this.#buffers.input.length;
    const ended = this.#spool.isComplete || this.#finishSince !== undefined;
    if (!full && !ended) return "idle";
    if (!full && this.#spool.size > this.#state.offset + length) return "more";
    // Keeps what may be the beginning of a record.
    const passed = full ? length - longestRecordBytes : length;
    this.#save({ ...this.#state, offset: this.#state.offset + passed });
    return "more";
  }

  /** The driver `none`: nobody but attached clients wants the bytes. */
  #skip(): PumpStep {
    const { size } = this.#spool;
    // The cursor is saved when space is to be given back: nothing else depends on it.
    if (size - this.#state.offset < this.#limits.freeStepBytes) return "idle";
    this.#save({ ...this.#state, offset: size });
    this.free();
    return "idle";
  }

  #takeNext(): void {
    const { gap, ...position } = this.#spool.next();
    const prefix = gap && this.#file ? this.#marked(this.#state.prefix, lossTexts.gap) : this.#state.prefix;
    const suspectUntil = this.#dropping ? Number.MAX_SAFE_INTEGER : 0;
    this.#save({ ...this.#state, ...position, suspectUntil, prefix });
    this.free();
  }

  #writeEnd(file: LogFileWriter, now: number): boolean {
    if (this.#dropping && this.#hasRecovered()) this.#endDropping();
    const { converter } = this.#lines;
    this.#lines.begin(this.#state.unfinished, this.#state.prefix);
    converter.end();
    return converter.length === 0 || this.#write(file, 0, now) !== "full";
  }

  /** Mode `non-blocking`: whole records are left out rather than the container held back. */
  #skipBacklog(): void {
    const limit = Math.max(this.#limits.lagBytes, this.#storage?.maxBufferBytes ?? 0);
    const { size } = this.#spool;
    const { offset, written, prefix } = this.#state;
    if (size - offset <= limit || written > 0) return;
    const { input } = this.#buffers;
    const target = size - Math.floor(limit / 2);
    const end = recordEnd(input, 0, this.#spool.read(input, target));
    if (end < 0) return;
    const skipped = target + end + 1 - offset;
    this.#save({ ...this.#state, offset: offset + skipped, prefix: this.#marked(prefix, lossTexts.tooSlow(skipped)) });
  }

  #watchLag(): void {
    if (!this.#file || this.#storage?.nonBlocking) return;
    const lag = this.#spool.size - this.#state.offset;
    if (lag > this.#limits.lagBytes) this.#setPressure("converter", true);
    else if (lag < this.#limits.lagBytes / 2) this.#setPressure("converter", false);
  }

  #watchDisk(hasSpace: boolean, now: number): void {
    if (hasSpace) this.#fullSince = undefined;
    else this.#fullSince ??= now;
    // Whoever has waited long enough runs on, whatever becomes of the log.
    this.#setPressure("disk", !hasSpace && !this.#hasWaited(now) && !this.#dropping);
  }

  #hasWaited(now: number): boolean {
    if (this.#storage?.nonBlocking) return true;
    if (this.#finishSince !== undefined && now - this.#finishSince >= finishWaitMilliseconds) return true;
    return this.#fullSince !== undefined && now - this.#fullSince >= this.#limits.diskFullWaitMilliseconds;
  }

  #beginDropping(): void {
    this.#dropping = true;
    // From now on conmon itself may lose bytes in the middle of a record.
    this.#state = { ...this.#state, suspectUntil: Number.MAX_SAFE_INTEGER };
  }

  #hasRecovered(): boolean {
    return freeBytes(this.#config.logsFolder) >= recoveredFreeBytes;
  }

  #endDropping(): void {
    this.#dropping = false;
    const { prefix, lostBytes } = this.#state;
    this.#save({
      ...this.#state,
      prefix: this.#marked(prefix, lossTexts.diskFull(lostBytes)),
      lostBytes: 0,
      suspectUntil: this.#spool.size,
    });
  }

  /** One mark is as good as ten: those that could not be written yet are few enough for the cursor. */
  #marked(prefix: Buffer, text: string): Buffer {
    const mark = lossLine(this.#lines.format, text);
    return prefix.length + mark.length > prefixLimitBytes ? prefix : Buffer.concat([prefix, mark]);
  }

  #setPressure(reason: PressureReason, on: boolean): void {
    if (on === this.#pressure.has(reason)) return;
    if (on) this.#pressure.add(reason);
    else this.#pressure.delete(reason);
    this.#listener.pressure(reason, on);
  }

  /** False when the disk is full: the state holds in memory, and nothing is given up that the saved one needs. */
  #save(state: CursorState): boolean {
    this.#state = state;
    try {
      this.#cursor.save(state);
      this.#saved = true;
      this.#spool.forgetPassed();
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#saved = false;
    }
    return this.#saved;
  }
}

const noBytes = Buffer.alloc(0);
/** The rest of a line and a mark, each with the longest attributes. */
const prefixLimitBytes = 24 << 10;
