import { EngineError } from "#lib/errors.ts";

declare const apiVersion: unique symbol;
/** A version of the Engine API as a number that compares: 1.24 is 124, 1.56 is 156. */
export type ApiVersion = number & { readonly [apiVersion]: true };

/** `apiVersionOf(1, 44)`; minor versions have at most two digits. */
export function apiVersionOf(major: number, minor: number): ApiVersion {
  return (major * 100 + minor) as ApiVersion; // the one place where a number becomes an ApiVersion
}

export const newestApiVersion = apiVersionOf(1, 56);
export const oldestApiVersion = apiVersionOf(1, 24);

/** As on the wire: `1.56`. */
export function formatApiVersion(version: ApiVersion): string {
  return `${Math.floor(version / 100)}.${version % 100}`;
}

/**
 * Reads the text between `/v` and the next slash: digits and dots, of which the first two numbers count, as in dockerd.
 * @throws {EngineError} `invalid` with Docker's texts when it lies outside of what we speak
 */
export function parseApiVersion(text: string): ApiVersion {
  const [major = 0, minor = 0] = text.split(".").map((part) => Number(part) || 0);
  const beyond = major > 1 || (major === 1 && minor > newestApiVersion % 100);
  if (beyond)
    throw new EngineError(
      "invalid",
      `client version ${text} is too new. Maximum supported API version is ${formatApiVersion(newestApiVersion)}`,
    );
  const version = apiVersionOf(major, minor);
  if (version < oldestApiVersion) {
    const floor = formatApiVersion(oldestApiVersion);
    throw new EngineError(
      "invalid",
      `client version ${text} is too old. Minimum supported API version is ${floor}, please upgrade your client to a newer version`,
    );
  }
  return version;
}
