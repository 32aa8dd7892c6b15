import { fstatSync } from "node:fs";
import { watchBusyFolder, type FolderWatch } from "#os/inotify.ts";
import { News } from "./news.ts";
import type { LogLimits } from "./protocol.ts";
import { SharedOffsets } from "./shared-offsets.ts";
import type { LogConfig, SpoolOffset } from "./types.ts";
import { Valve } from "./valve.ts";

/** A part of the spool that readers can read. The descriptor is the worker's, open as long as `SharedOffsets.retain` covers it. */
export interface ReadableSegment {
  readonly base: SpoolOffset;
  readonly descriptor: number;
}

/** What a run must know of a reader to keep its bytes and to judge its slowness. */
export interface SpoolClient {
  /** First byte it still needs. */
  readonly position: SpoolOffset;
  readonly lag: "hold" | "drop";
  /** It is too far behind. */
  drop(): void;
}

const lagCheckMilliseconds = 10;

/** One run of one container on the main thread: what is known of its spool, who reads it, and its valve. */
export class Run {
  readonly key: number;
  readonly config: LogConfig;
  readonly offsets = new SharedOffsets();
  /** The spool has grown, changed its segment, or ended. */
  readonly spoolNews = new News();
  /** Lines were written, or the run is over. Rings only while somebody follows. */
  readonly logNews = new News();
  readonly #limits: LogLimits;
  readonly #onIdle: () => void;
  readonly #clients = new Set<SpoolClient>();
  #segments: ReadableSegment[] = [];
  #end: SpoolOffset | undefined;
  #watcher: FolderWatch | undefined;
  #valve: Valve | undefined;
  #holds = false;
  #lagTimer: Timer | undefined;
  #followers = 0;

  /** @param onIdle  called when the run has ended and its last reader is gone */
  constructor(key: number, config: LogConfig, limits: LogLimits, onIdle: () => void) {
    this.key = key;
    this.config = config;
    this.#limits = limits;
    this.#onIdle = onIdle;
  }

  /** Offset of the end, once all is converted. */
  get end(): SpoolOffset | undefined {
    return this.#end;
  }

  /** Offset of the end of output now. The inode is in memory: nothing here waits for a disk. */
  get size(): SpoolOffset {
    const last = this.#segments.at(-1);
    return this.#end ?? (last ? last.base + fstatSync(last.descriptor).size : 0);
  }

  addSegment(segment: ReadableSegment): void {
    const { freed } = this.offsets;
    // Those that end before `freed` may be closed soon; the last one not before it is known that another follows it.
    this.#segments = this.#segments.filter((_, index, all) => (all[index + 1] ?? segment).base >= freed);
    this.#segments.push(segment);
    this.offsets.known = segment.base;
    if (this.#clients.size > 0) this.#startWatch();
    this.spoolNews.ring();
  }

  /** The segment with the byte at `offset`, and where the next one begins. */
  segmentAt(offset: SpoolOffset): { readonly segment: ReadableSegment; readonly next: SpoolOffset | undefined } | undefined {
    const index = this.#segments.findLastIndex((segment) => segment.base <= offset);
    const segment = this.#segments[index];
    return segment && { segment, next: this.#segments[index + 1]?.base };
  }

  /** All output is converted; readers that are behind read on. */
  finish(end: SpoolOffset): void {
    this.#end = end;
    this.#watcher?.close();
    this.#watcher = undefined;
    clearTimeout(this.#lagTimer);
    this.#valve?.close();
    this.spoolNews.ring();
    this.logNews.ring();
    if (this.#clients.size === 0) this.#onIdle();
  }

  /** Takes a reader in; returns where it can begin. Its bytes are kept until it is removed. */
  addClient(client: SpoolClient): SpoolOffset {
    this.#clients.add(client);
    this.updateRetained(); // before the look at what is freed: see SharedOffsets
    if (this.#segments.length > 0 && this.#end === undefined) this.#startWatch();
    return Math.max(client.position, this.offsets.freed, this.#segments[0]?.base ?? 0);
  }

  removeClient(client: SpoolClient): void {
    if (!this.#clients.delete(client)) return;
    this.updateRetained();
    if (this.#clients.size > 0) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    if (this.#end !== undefined) this.#onIdle();
  }

  /** After a reader has moved on. */
  updateRetained(): void {
    let lowest: SpoolOffset | undefined;
    for (const { position } of this.#clients) lowest = lowest === undefined ? position : Math.min(lowest, position);
    this.offsets.retain(lowest);
    if (this.#holds) this.#checkLag();
  }

  addFollower(): void {
    this.offsets.following = ++this.#followers > 0;
  }

  removeFollower(): void {
    this.offsets.following = --this.#followers > 0;
  }

  setValve(attachSocket: string): void {
    this.#valve ??= new Valve(attachSocket);
    this.#valve.hold("reader", this.#holds);
  }

  releaseValve(): void {
    this.#valve?.release();
  }

  hold(reason: string, on: boolean): void {
    this.#valve?.hold(reason, on);
  }

  /** The daemon stops: readers end where they are. */
  close(): void {
    if (this.#end === undefined) this.finish(this.size);
    for (const client of this.#clients) client.drop();
  }

  #startWatch(): void {
    this.#watcher ??= watchBusyFolder(this.config.spoolFolder, () => {
      this.spoolNews.ring();
      this.#lagTimer ??= setTimeout(() => this.#checkLag(), lagCheckMilliseconds);
    });
  }

  #checkLag(): void {
    clearTimeout(this.#lagTimer);
    this.#lagTimer = undefined;
    if (this.#end !== undefined) return;
    const { lagBytes } = this.#limits;
    const { size } = this;
    let lag = 0;
    for (const client of this.#clients) {
      const behind = size - client.position;
      if (client.lag === "hold") lag = Math.max(lag, behind);
      else if (behind > lagBytes) client.drop();
    }
    this.#holds = this.#holds ? lag >= lagBytes / 2 : lag > lagBytes;
    this.#valve?.hold("reader", this.#holds);
  }
}
