import { EngineError, messageOf, type ErrorKind } from "#lib/errors.ts";
import { empty, json, type ApiResponse } from "./http/response.ts";

const statusByKind: Readonly<Record<ErrorKind, number>> = {
  not_modified: 304,
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  not_acceptable: 406,
  conflict: 409,
  too_large: 413,
  range: 416,
  misdirected: 421,
  too_many: 429,
  internal: 500,
  not_implemented: 501,
  unavailable: 503,
};

/** The HTTP status of anything thrown: an `EngineError` by its kind, everything else 500. The only place that knows. */
export function statusOf(error: unknown): number {
  return error instanceof EngineError ? statusByKind[error.kind] : 500;
}

/** The answer to anything thrown: `{"message"}` as dockerd writes it; a 304 has no body. */
export function errorResponse(error: unknown): ApiResponse {
  const status = statusOf(error);
  return status === 304 ? empty(304) : json(status, { message: messageOf(error) });
}
