import { digestHex, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { TemporaryFile } from "#lib/temporary-file.ts";

/** What is read again at once to be hashed. */
const readBytes = 1 << 20;

/** Bytes that were written before what lies in front of them. */
interface Run {
  start: number;
  end: number;
}

/** A blob on its way to the disk: written in any order, hashed in its own. */
export class BlobFile {
  readonly #file: TemporaryFile;
  readonly #digest: Digest;
  #hasher: Bun.CryptoHasher;
  #hashedBytes = 0;
  #ahead: Run[] = [];
  #catchingUp: Promise<void> | undefined;

  constructor(file: TemporaryFile, digest: Digest) {
    this.#file = file;
    this.#digest = digest;
    this.#hasher = this.#newHasher();
  }

  /** What is there from the start on without a hole, as far as it was looked at. */
  get hashedBytes(): number {
    return this.#hashedBytes;
  }

  /** Pieces of different parts may be written at the same time. @throws {EngineError} `unavailable` when the disk is full */
  async write(piece: Uint8Array, position: number): Promise<void> {
    await this.#file.writeAt(piece, position);
    const run = this.#ahead.find(({ end }) => end === position);
    if (run) run.end += piece.length;
    else if (position === this.#hashedBytes) this.#hash(piece);
    else this.#ahead.push({ start: position, end: position + piece.length });
    if (!this.#catchingUp && this.#nextRun()) this.#beginCatchingUp();
  }

  /** Waits until all that can be hashed is. @throws {EngineError} when the file cannot be read */
  async settle(): Promise<void> {
    await this.#catchingUp;
    if (!this.#nextRun()) return;
    this.#beginCatchingUp();
    await this.#catchingUp;
  }

  /** Goes on behind `hashedBytes`: what was written ahead does not count. */
  async forgetAhead(): Promise<void> {
    this.#ahead = this.#ahead.filter(({ start }) => start === this.#hashedBytes);
    await this.settle();
    this.#ahead = [];
  }

  /** Begins again with nothing. */
  async restart(): Promise<void> {
    if (this.#file.sizeBytes === 0) return;
    await this.forgetAhead();
    await this.#file.clear();
    this.#hasher = this.#newHasher();
    this.#hashedBytes = 0;
  }

  /** Whether what was hashed has the blob's digest. A second question needs a restart before. */
  isRight(): boolean {
    return this.#hasher.digest("hex") === digestHex(this.#digest);
  }

  #hash(piece: Uint8Array): void {
    this.#hasher.update(piece);
    this.#hashedBytes += piece.length;
  }

  #nextRun(): Run | undefined {
    return this.#ahead.find(({ start }) => start === this.#hashedBytes);
  }

  #beginCatchingUp(): void {
    const catchingUp = this.#catchUp();
    this.#catchingUp = catchingUp;
    const end = (): void => {
      this.#catchingUp = undefined;
    };
    // A failure is kept for whoever waits for it.
    catchingUp.then(end, () => {});
  }

  /** What was written ahead is read again, most likely from the kernel's memory, as soon as what lies before it is there. */
  async #catchUp(): Promise<void> {
    for (let run = this.#nextRun(); run; run = this.#nextRun()) {
      const piece = await this.#file.read(run.start, Math.min(readBytes, run.end - run.start));
      if (piece.length === 0) throw new EngineError("internal", "a file of a download is shorter than it was");
      this.#hash(piece);
      run.start += piece.length;
      if (run.start === run.end) this.#ahead = this.#ahead.filter((other) => other !== run);
    }
  }

  #newHasher(): Bun.CryptoHasher {
    return new Bun.CryptoHasher(this.#digest.startsWith("sha512:") ? "sha512" : "sha256");
  }
}
