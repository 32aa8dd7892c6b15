import { closeSync, fstatSync, readSync } from "node:fs";
import { isDiskFull } from "#lib/disk.ts";
import { punchHole, SpoolReserve } from "./disk-space.ts";
import type { LogLimits } from "./protocol.ts";
import { Segments } from "./segments.ts";
import type { SharedOffsets } from "./shared-offsets.ts";
import type { SpoolOffset } from "./types.ts";

/** Where the converter stands in a spool. */
export interface SpoolPosition {
  readonly segment: number;
  readonly segmentInode: number;
  readonly segmentBase: SpoolOffset;
  readonly offset: number;
}

type SpoolLimits = Pick<LogLimits, "freeStepBytes" | "pinFromBytes">;

interface PassedSegment {
  readonly end: SpoolOffset;
  readonly descriptor: number;
}

/**
 * The spool of one container as the worker sees it: an endless run of bytes, read through the segment that is open now, freed behind the
 * slowest of converter and readers. Descriptors are shared with the readers on the main thread and stay open as long as one needs them.
 */
export class Spool {
  readonly #segments: Segments;
  readonly #shared: SharedOffsets;
  readonly #onSegment: (base: SpoolOffset, descriptor: number) => void;
  readonly #limits: SpoolLimits;
  readonly #reserve = new SpoolReserve();
  #passed: PassedSegment[] = [];
  #descriptor = -1;
  #segment = 0;
  #inode = 0;
  #base: SpoolOffset = 0;
  #punched = 0;
  #freedUntil: SpoolOffset = 0;
  #pinsBefore = false;

  /** @param onSegment  tells the readers of each segment, in order */
  constructor(folder: string, shared: SharedOffsets, limits: SpoolLimits, onSegment: (base: SpoolOffset, descriptor: number) => void) {
    this.#segments = new Segments(folder);
    this.#shared = shared;
    this.#onSegment = onSegment;
    this.#limits = limits;
  }

  /** Goes to where the converter was; returns where it is now and whether segments in between may be missing. */
  resume(last: SpoolPosition): SpoolPosition & { readonly gap: boolean } {
    const { number, descriptor } = this.#segments.open(Math.max(1, last.segment));
    const { ino, size } = fstatSync(descriptor);
    const same = number === last.segment && ino === last.segmentInode;
    const later = last.segment > 0 && number > last.segment;
    const base = same ? last.segmentBase : later ? last.segmentBase + last.offset : 0;
    const offset = same ? Math.min(last.offset, size) : 0;
    this.#use(number, descriptor, base);
    this.#pinsBefore = true; // a switch may have been cut short
    this.#freedUntil = this.#shared.free(base + offset);
    return { ...this.#position(offset), gap: later };
  }

  get descriptor(): number {
    return this.#descriptor;
  }

  /** Bytes of the open segment. */
  get size(): number {
    return fstatSync(this.#descriptor).size;
  }

  /** True when no byte will be added to the open segment. Ask before the read that finds nothing. */
  get isComplete(): boolean {
    return this.#segments.isComplete(this.#segment);
  }

  read(target: Buffer, offset: number): number {
    return readSync(this.#descriptor, target, 0, target.length, offset);
  }

  /** Pins what comes next and keeps blocks for conmon. False: the disk is full. */
  prepare(): boolean {
    try {
      if (this.size >= this.#limits.pinFromBytes || !this.#segments.isCurrent(this.#inode)) this.#segments.pin();
    } catch (error) {
      if (isDiskFull(error)) return false;
      throw error;
    }
    // Once conmon has moved on there is nothing more to keep blocks for here.
    return this.isComplete || this.#reserve.topUp(this.#descriptor);
  }

  /** Opens the segment after a complete one that is read to its end. The old one stays pinned until `forgetPassed`. */
  next(): SpoolPosition & { readonly gap: boolean } {
    const end = this.#base + this.size;
    this.#passed.push({ end, descriptor: this.#descriptor });
    const expected = this.#segment + 1;
    const { number, descriptor } = this.#segments.open(expected);
    this.#use(number, descriptor, end);
    this.#pinsBefore = true;
    return { ...this.#position(0), gap: number !== expected };
  }

  /** When the cursor that stands in the open segment is saved: the ones before are needed by nobody but readers that have them open. */
  forgetPassed(): void {
    if (this.#pinsBefore) this.#segments.removeBefore(this.#segment);
    this.#pinsBefore = false;
  }

  /**
   * Gives back what is behind `offset` of the open segment, the saved position of the converter, as far as readers allow.
   * @param beforePunch  called before bytes go for good
   */
  free(offset: number, beforePunch: () => void): void {
    const position = this.#base + offset;
    if (position - this.#freedUntil < this.#limits.freeStepBytes && this.#passed.length === 0) return;
    this.#freedUntil = this.#shared.free(position);
    this.#closePassed();
    // The byte before a position tells whether a record begins there: it stays.
    const until = this.#freedUntil - this.#base - 1;
    if (until - this.#punched < this.#limits.freeStepBytes / 2) return;
    beforePunch();
    this.#punched = punchHole(this.#descriptor, this.#punched, until);
  }

  /** After the end of output: the files go, the readers keep their descriptors. Returns the end's offset. */
  remove(): SpoolOffset {
    this.#segments.removeAll();
    return this.#base + this.size;
  }

  /** No reader is left. */
  close(): void {
    for (const { descriptor } of this.#passed) closeSync(descriptor);
    this.#passed = [];
    closeSync(this.#descriptor);
  }

  #closePassed(): void {
    this.#passed = this.#passed.filter(({ end, descriptor }) => {
      if (end > this.#freedUntil || !this.#shared.isPassed(end)) return true;
      closeSync(descriptor);
      return false;
    });
  }

  #use(number: number, descriptor: number, base: SpoolOffset): void {
    this.#segment = number;
    this.#descriptor = descriptor;
    this.#inode = fstatSync(descriptor).ino;
    this.#base = base;
    this.#punched = 0;
    this.#reserve.reset();
    this.#onSegment(base, descriptor);
  }

  #position(offset: number): SpoolPosition {
    return { segment: this.#segment, segmentInode: this.#inode, segmentBase: this.#base, offset };
  }
}
