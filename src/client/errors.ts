import { EngineError, type ErrorKind } from "#lib/errors.ts";

const kinds: Readonly<Record<number, ErrorKind>> = {
  304: "not_modified",
  400: "invalid",
  401: "unauthorized",
  403: "forbidden",
  404: "not_found",
  406: "not_acceptable",
  409: "conflict",
  413: "too_large",
  416: "range",
  421: "misdirected",
  429: "too_many",
  501: "not_implemented",
  503: "unavailable",
};

/** An answer of the daemon with an error status. `message` has the prefix that Docker's client gives it, `detail` is the daemon's text. */
export class DaemonError extends EngineError {
  readonly status: number;
  readonly detail: string;
  constructor(status: number, detail: string) {
    super(kinds[status] ?? (status >= 400 && status < 500 ? "invalid" : "internal"), `Error response from daemon: ${detail}`);
    this.status = status;
    this.detail = detail;
  }
}

/** No daemon could be reached at an address, or the connection to it broke. */
export class ConnectionError extends EngineError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("unavailable", message, options);
  }
}
