import { createHash } from "node:crypto";
import { LineReader } from "../line-reader.ts";
import type { LogFile } from "../log-files.ts";
import { LocalLogFiles } from "../local/log-files.ts";
import { parseRecord, type LocalRecord } from "../local/record.ts";
import type { OutputStream } from "../types.ts";
import type { SentCursor } from "./sent-cursor.ts";
import type { ForwardRecord, LinePartOf } from "./types.ts";

/** Records that are sent together, and where the log stands behind them. */
export interface Batch {
  readonly records: readonly ForwardRecord[];
  readonly after: SentCursor;
  /** Files before these records were removed unsent. */
  readonly gap: boolean;
}

const batchRecords = 512;
const batchBytes = 256 << 10;

/** Reads a log from a cursor on, for a server. Memory is one batch. */
export class UnsentRecords {
  readonly #containerId: string;
  readonly #files: LocalLogFiles;
  #cursor: SentCursor;
  #file: LogFile | undefined;
  #lines: LineReader | undefined;
  #gap = false;

  constructor(containerId: string, folder: string, cursor: SentCursor) {
    this.#containerId = containerId;
    this.#files = new LocalLogFiles(folder);
    this.#cursor = cursor;
  }

  /** Goes back: what comes then is sent again. */
  async seek(cursor: SentCursor): Promise<void> {
    await this.close();
    this.#cursor = cursor;
  }

  /** What is there now; undefined when that is nothing. */
  async next(): Promise<Batch | undefined> {
    for (;;) {
      if (!this.#file && !(await this.#open())) return undefined;
      // Asked before the read: only when that finds nothing it tells that there is nothing more.
      const isCurrent = await this.#files.isCurrent(this.#file);
      const records = await this.#read();
      if (records.length > 0) {
        const batch = { records, after: this.#cursor, gap: this.#gap };
        this.#gap = false;
        return batch;
      }
      if (isCurrent) return undefined;
      const { id: sequence = 0 } = this.#file ?? {};
      await this.close();
      this.#cursor = { ...this.#cursor, sequence: sequence + 1, offset: 0 };
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#lines = undefined;
    await file?.close();
  }

  async #open(): Promise<boolean> {
    const { sequence } = this.#cursor;
    const file = await this.#files.openFrom(sequence);
    if (!file) return false;
    if (file.id !== sequence) {
      this.#gap ||= sequence > 0;
      this.#cursor = { ...this.#cursor, sequence: file.id, offset: 0, open: {} };
    }
    this.#file = file;
    this.#lines = new LineReader(file, this.#cursor.offset);
    return true;
  }

  async #read(): Promise<ForwardRecord[]> {
    const records: ForwardRecord[] = [];
    const lines = this.#lines;
    if (!lines) return records;
    let bytes = 0;
    for (;;) {
      const line = lines.next();
      if (!line) {
        if (records.length > 0 || !(await lines.fill(Infinity))) return this.#upTo(lines, records);
        continue;
      }
      const record = parseRecord(line);
      if (record) records.push(this.#take(record));
      bytes += line.length;
      if (records.length >= batchRecords || bytes >= batchBytes) return this.#upTo(lines, records);
    }
  }

  #upTo(lines: LineReader, records: ForwardRecord[]): ForwardRecord[] {
    this.#cursor = { ...this.#cursor, offset: lines.consumed };
    return records;
  }

  #take({ stream, kind, timeNano, text }: LocalRecord): ForwardRecord {
    const ordinal = this.#cursor.records + 1;
    const part = this.#partOf({ stream, kind }, ordinal);
    this.#cursor = { ...this.#cursor, records: ordinal, ...(part && { open: this.#openAfter(stream, part) }) };
    // Copied: the reader's buffer is used again.
    return { stream, timeNano, text: Buffer.from(text), ordinal, ...(part && { part }) };
  }

  #openAfter(stream: OutputStream, { id, ordinal, last }: LinePartOf): SentCursor["open"] {
    const { [stream]: _ended, ...others } = this.#cursor.open;
    return last ? others : { ...others, [stream]: { id, ordinal } };
  }

  /** The same parts have the same id when they are sent again. */
  #partOf({ stream, kind }: Pick<LocalRecord, "stream" | "kind">, ordinal: number): LinePartOf | undefined {
    if (kind === "whole") return undefined;
    const before = this.#cursor.open[stream];
    const id = before?.id ?? createHash("sha256").update(`${this.#containerId} ${stream} ${ordinal}`).digest("hex");
    return { id, ordinal: (before?.ordinal ?? 0) + 1, last: kind === "last" };
  }
}
