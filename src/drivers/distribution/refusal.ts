import { parseJson } from "#lib/parse-json.ts";
import { parseChallenges } from "./challenge.ts";
import { printable, RegistryRefusal, withoutSecrets } from "./failure.ts";
import { readAtMost } from "./read-body.ts";

/** What stands for a status whose body says nothing. */
const codeOfStatus: Readonly<Record<number, string>> = { 401: "UNAUTHORIZED", 403: "DENIED", 429: "TOOMANYREQUESTS" };
const maximumErrorBytes = 64 << 10;
const deniedText = "requested access to the resource is denied";

/**
 * Reads the error body of an answer (JSON of the distribution API, or anything at all) and consumes it.
 * @param what  kind of thing asked for: names the failure of a 404 that does not say
 * Source: OCI distribution-spec, "Error Codes".
 */
export async function readRefusal(
  response: Response,
  what: "manifest" | "blob" | "other",
  secrets: readonly string[],
): Promise<RegistryRefusal> {
  const retryAfter = retryAfterSeconds(response.headers.get("retry-after"));
  const { code, message } = parseErrors(await readAtMost(response, maximumErrorBytes).catch(() => new Uint8Array()));
  const isScopeMissing = parseChallenges(response.headers.get("www-authenticate")).some(
    ({ parameters }) => parameters.get("error") === "insufficient_scope",
  );
  if (response.status === 401 && isScopeMissing) return new RegistryRefusal(401, "DENIED", `denied: ${deniedText}`);
  const known = code ?? codeOfStatus[response.status] ?? (response.status === 404 ? codeOfMissing(what) : undefined);
  if (known === undefined) {
    const reason = printable(`${response.status} ${response.statusText}`);
    return new RegistryRefusal(response.status, "UNKNOWN", `received unexpected HTTP status: ${reason}`, retryAfter);
  }
  const words = known.toLowerCase().replaceAll("_", " ");
  const text = printable(withoutSecrets(message ?? (known === "DENIED" ? deniedText : words), secrets));
  return new RegistryRefusal(response.status, known, text === words && message === undefined ? words : `${words}: ${text}`, retryAfter);
}

function codeOfMissing(what: "manifest" | "blob" | "other"): string | undefined {
  if (what === "manifest") return "MANIFEST_UNKNOWN";
  return what === "blob" ? "BLOB_UNKNOWN" : "NAME_UNKNOWN";
}

function parseErrors(body: Uint8Array): { readonly code?: string; readonly message?: string } {
  try {
    const parsed = parseJson(body) as { errors?: unknown; details?: unknown } | null;
    const list: unknown = parsed?.errors;
    const first = Array.isArray(list) ? (list[0] as { code?: unknown; message?: unknown } | null) : parsed;
    const { code, message } = (first ?? {}) as { code?: unknown; message?: unknown };
    return {
      ...(typeof code === "string" && /^[A-Z_]{1,64}$/.test(code) && { code }),
      ...(typeof message === "string" && message !== "" && { message }),
    };
  } catch {
    return {}; // a page of a proxy: the status must do
  }
}

/** Seconds, or a date. Source: RFC 9110, 10.2.3. */
function retryAfterSeconds(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - Date.now()) / 1000));
}
