/** Bytes of a blob: from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The field of a request. Source: RFC 9110, 14.1.2. */
export function rangeHeader({ start, end }: ByteRange): string {
  return `bytes=${start}-${end - 1}`;
}

/** Whether an answer is exactly this part of a blob of this size. Source: RFC 9110, 14.4. */
export function isPart(response: Response, { start, end }: ByteRange, sizeBytes: number): boolean {
  if (response.status !== 206) return false;
  const length = response.headers.get("content-length");
  if (length !== null && length !== String(end - start)) return false;
  const range = response.headers.get("content-range") ?? "";
  return range === `bytes ${start}-${end - 1}/${sizeBytes}` || range === `bytes ${start}-${end - 1}/*`;
}

/** Whether an answer is a whole blob of this size. */
export function isWhole({ status, headers }: Response, sizeBytes: number): boolean {
  return status === 200 && (headers.get("content-length") ?? String(sizeBytes)) === String(sizeBytes);
}
