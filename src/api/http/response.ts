import { stringifyExact } from "#lib/exact-integers.ts";

/** Names as on the wire; several values of one name as a list. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[]>>;

/** An answer as a value. The front door adds the headers that every answer has and the length. */
export interface ApiResponse {
  readonly status: number;
  readonly headers: ResponseHeaders;
  /** A stream is sent as it comes, its headers before the first chunk; it is ended (`return()`) when the client leaves. */
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array | string>;
}

/** One JSON value and a line feed, as Go's encoder writes it. */
export function json(status: number, value: unknown, headers: ResponseHeaders = {}): ApiResponse {
  return { status, headers: { "Content-Type": "application/json", ...headers }, body: `${stringifyExact(value)}\n` };
}

export function empty(status: number, headers: ResponseHeaders = {}): ApiResponse {
  return { status, headers };
}

export function text(status: number, body: string, headers: ResponseHeaders = {}): ApiResponse {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers }, body };
}

export function bytes(status: number, contentType: string, body: Uint8Array, headers: ResponseHeaders = {}): ApiResponse {
  return { status, headers: { "Content-Type": contentType, ...headers }, body };
}

/**
 * 200 with chunks as they come. The next chunk is asked for when the client has room for it. An error of `body` breaks the connection
 * off: a stream that ends well and one that does not must look different to the client.
 */
export function stream(contentType: string, body: AsyncIterable<Uint8Array | string>, headers: ResponseHeaders = {}): ApiResponse {
  return { status: 200, headers: { "Content-Type": contentType, ...headers }, body };
}
