import { EngineError } from "#lib/errors.ts";

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
  const tags = parseTags(body);
  const target = /<([^>]{1,2048})>\s*;[^,]*rel="?next"?/.exec(link ?? "")?.[1];
  const base = new URL(path, "http://registry");
  const url = target !== undefined && URL.canParse(target, base.href) ? new URL(target, base) : undefined;
  const isSamePath = url?.pathname === base.pathname;
  return { tags, next: url && isSamePath ? `${url.pathname}${url.search}` : undefined };
}

function parseTags(body: Uint8Array): string[] {
  let list: unknown;
  try {
    list = (JSON.parse(Buffer.from(body).toString()) as { tags?: unknown } | null)?.tags ?? [];
  } catch (error) {
    throw new EngineError("internal", "the registry's list of tags is no JSON", { cause: error });
  }
  if (!Array.isArray(list)) throw new EngineError("internal", "the registry's list of tags is no list");
  return list.filter((tag): tag is string => typeof tag === "string" && tagPattern.test(tag));
}
