import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";

/**
 * How many commits the database has, beside it: SQLite takes a log that was cut or lost for one that never was, and whatever was recorded
 * only there would be removed as nobody's. Written after a commit that was synced and not synced itself, so that it never says more than
 * the database did; anything in it that is not whole is no evidence.
 */
export class CommitMark {
  readonly #descriptor: number | undefined;
  #count: number;

  private constructor(descriptor: number | undefined, count: number) {
    this.#descriptor = descriptor;
    this.#count = count;
  }

  /**
   * @param count  as the database says
   * @throws Error when commits are missing
   */
  static open(path: string, database: string, count: number): CommitMark {
    const seen = existsSync(path) ? parse(readFileSync(path, "latin1")) : undefined;
    if (seen !== undefined && seen > count)
      throw new Error(
        `its last ${seen - count} changes are lost, ${database}-wal is damaged or missing: bring it back from a backup, or remove ${path} to go on without them`,
      );
    return new CommitMark(openMark(path), count);
  }

  /** The number that the next commit has. */
  get next(): number {
    return this.#count + 1;
  }

  /**
   * Never fails: the commit has been made, and a mark that lags behind does no harm.
   * @param synced  false for one that the machine's end may take back
   */
  advance(synced: boolean): void {
    this.#count++;
    if (this.#descriptor === undefined || !synced) return;
    try {
      writeSync(this.#descriptor, format(this.#count), 0);
    } catch {
      // a full disk that has no block for it
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
  }
}

/** Undefined on a full disk that has no room for a new file. */
function openMark(path: string): number | undefined {
  try {
    return openSync(path, existsSync(path) ? "r+" : "w", 0o600);
  } catch {
    return undefined;
  }
}

/** Twice, so that a text that was cut or overwritten is seen. */
function format(count: number): string {
  const digits = String(count).padStart(16, "0");
  return `${digits} ${digits}\n`;
}

function parse(text: string): number | undefined {
  const match = /^(\d{16}) (\d{16})\n$/.exec(text);
  return match && match[1] === match[2] ? Number(match[1]) : undefined;
}
