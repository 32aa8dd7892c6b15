import { isIP } from "node:net";
import { EngineError } from "#lib/errors.ts";

export interface HostRules {
  /** Names under which this listener is reached besides addresses and `localhost`, in lower case: its own, the certificate's. */
  readonly names: ReadonlySet<string>;
  /** Origins (`https://host:port`) of web pages that may call, besides those served by this listener itself. */
  readonly origins?: ReadonlySet<string>;
}

/**
 * Keeps web pages out of a TCP listener: a page may send requests to any address its reader can reach. A name that is not ours means a
 * foreign page whose name resolves to us (DNS rebinding); an address cannot be rebound.
 * @throws {EngineError} `misdirected` for a foreign Host, `forbidden` for a foreign Origin
 */
export function checkHostAndOrigin(rules: HostRules, headers: Readonly<Record<string, string | undefined>>): void {
  const host = headers["host"];
  if (host !== undefined && !isOwnHost(rules, host))
    throw new EngineError("misdirected", `host ${JSON.stringify(host)} is not served here`);
  const origin = headers["origin"];
  if (origin === undefined || rules.origins?.has(origin)) return;
  // A page of this very listener: same host and port. `null` and everything else is foreign.
  if (host !== undefined && (origin === `http://${host}` || origin === `https://${host}`)) return;
  throw new EngineError("forbidden", `origin ${JSON.stringify(origin)} is not allowed`);
}

function isOwnHost(rules: HostRules, host: string): boolean {
  const bracketed = /^\[([0-9a-fA-F:.]+)\](?::\d{1,5})?$/.exec(host);
  if (bracketed) return isIP(bracketed[1] ?? "") === 6;
  const name = host.replace(/:\d{1,5}$/, "").toLowerCase();
  return isIP(name) === 4 || name === "localhost" || rules.names.has(name);
}
