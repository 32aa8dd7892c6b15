/** An archive that is damaged, cut, hostile or of a kind that is not supported. */
export class TarError extends Error {
  override readonly name = "TarError";
  /** Byte position in the uncompressed archive near which the fault was seen. */
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(`${message} (at byte ${offset} of the archive)`);
    this.offset = offset;
  }
}
