import { EngineError } from "#lib/errors.ts";
import type { HostConfig } from "#types/engine-api/index.ts";

/**
 * Fields of HostConfig that this engine does not carry out yet, each with the values that mean nothing: zero and Docker's default. A
 * request with any other value is refused by the field's name, never ignored. The list only shrinks; a test holds it.
 */
export const unsupportedHostFields: Readonly<Partial<Record<keyof HostConfig, (value: unknown) => boolean>>> = {
  UsernsMode: (value) => isEmpty(value) || value === "host",
};

/** @throws {EngineError} `not_implemented` naming the field */
export function refuseUnsupported(host: HostConfig): void {
  for (const [field, meansNothing] of Object.entries(unsupportedHostFields)) {
    const value: unknown = host[field as keyof HostConfig];
    if (!meansNothing(value)) throw new EngineError("not_implemented", `HostConfig.${field} is not implemented yet`);
  }
}

/** Go's zero values: absent, 0, "", false, and empty lists and maps. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === 0 || value === "" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
