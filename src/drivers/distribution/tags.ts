import { EngineError } from "#lib/errors.ts";
import { parseJson } from "#lib/parse-json.ts";

const tagPattern = /^\w[\w.-]{0,127}$/;

/**
 * One page of a repository's tags, and the path of the next. A next page elsewhere than below the same path is not followed.
 * Source: OCI distribution-spec, "Listing Tags".
 */
export function readTagPage(
  body: Uint8Array,
  link: string | null,
  path: string,
): { readonly tags: readonly string[]; readonly next: string | undefined } {
  return { tags: parseTags(body), next: nextPage(link, path) };
}

/** The path of the next page of a list, which a header names; one elsewhere than at the same path is not followed. */
export function nextPage(link: string | null, path: string): string | undefined {
  const target = /<([^>]{1,2048})>\s*;[^,]*rel="?next"?/.exec(link ?? "")?.[1];
  const base = new URL(path, "http://registry");
  const url = target !== undefined && URL.canParse(target, base.href) ? new URL(target, base) : undefined;
  const isSamePath = url?.pathname === base.pathname;
  return url && isSamePath ? `${url.pathname}${url.search}` : undefined;
}

function parseTags(body: Uint8Array): string[] {
  let list: unknown;
  try {
    list = (parseJson(body) as { tags?: unknown } | null)?.tags ?? [];
  } catch (error) {
    throw new EngineError("internal", "the registry's list of tags is no JSON", { cause: error });
  }
  if (!Array.isArray(list)) throw new EngineError("internal", "the registry's list of tags is no list");
  return list.filter((tag): tag is string => typeof tag === "string" && tagPattern.test(tag));
}
