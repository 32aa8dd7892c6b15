import { parseRequestHead, type RequestHead } from "./request-head.ts";

/** A request that came with all of its body in one piece, as nearly all do. */
export interface WholeRequest {
  readonly head: RequestHead;
  readonly body: Uint8Array;
}

/**
 * Reads a request that is there as a whole: served without node:http it costs a third. Undefined for everything out of the ordinary, which
 * node:http reads and refuses.
 * @param headBytes  length of the head with its empty line
 */
export function wholeRequest(bytes: Uint8Array, headBytes: number): WholeRequest | undefined {
  const head = headOf(bytes.subarray(0, headBytes));
  if (!head?.keepAlive || head.upgrade !== undefined || head.headers["expect"] !== undefined || head.framing.type === "chunked")
    return undefined;
  const bodyBytes = head.framing.type === "length" ? head.framing.sizeBytes : 0;
  return bytes.length === headBytes + bodyBytes ? { head, body: bytes.subarray(headBytes) } : undefined;
}

function headOf(bytes: Uint8Array): RequestHead | undefined {
  try {
    return parseRequestHead(bytes);
  } catch {
    return undefined;
  }
}
