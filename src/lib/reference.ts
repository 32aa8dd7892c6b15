import { EngineError } from "./errors.ts";
import { isDigest, type Digest } from "./digest.ts";

/** A name of an image, taken apart. Source: distribution/reference, the grammar of Docker's references. */
export interface Reference {
  /** Host and port of the registry; `docker.io` when none was named. */
  readonly domain: string;
  /** Path below the registry; `library/NAME` for single names at docker.io. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const pathComponent = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const domainComponent = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domainPattern = new RegExp(`^(?:${domainComponent}(?:\\.${domainComponent})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?$`);
const pathPattern = new RegExp(`^${pathComponent}(?:/${pathComponent})*$`);
const tagPattern = /^[\w][\w.-]{0,127}$/;
const maximumName = 255;

/**
 * Reads a reference as people write it and completes domain and `library/`. No tag is added.
 * @throws {EngineError} `invalid` with Docker's texts
 */
export function parseReference(text: string): Reference {
  if (/^[0-9a-f]{64}$/.test(text)) throw invalid(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  let rest = text;
  let digest: Digest | undefined;
  const at = rest.indexOf("@");
  if (at >= 0) {
    const digestText = rest.slice(at + 1);
    if (!isDigest(digestText)) throw invalid("invalid reference format");
    digest = digestText;
    rest = rest.slice(0, at);
  }
  let tag: string | undefined;
  const colon = rest.lastIndexOf(":");
  if (colon > rest.lastIndexOf("/")) {
    tag = rest.slice(colon + 1);
    if (!tagPattern.test(tag)) throw invalid("invalid reference format");
    rest = rest.slice(0, colon);
  }
  const { domain, path } = splitDomain(rest);
  if (!domainPattern.test(domain) || !pathPattern.test(path)) {
    if (path !== path.toLowerCase() && pathPattern.test(path.toLowerCase()))
      throw invalid("invalid reference format: repository name (" + path + ") must be lowercase");
    throw invalid("invalid reference format");
  }
  if (path.length > maximumName) throw invalid(`repository name must not be more than ${maximumName} characters`);
  return { domain, path, ...(tag !== undefined && { tag }), ...(digest && { digest }) };
}

/** With `latest` where neither tag nor digest is named. */
export function withDefaultTag(reference: Reference): Reference {
  return reference.tag === undefined && reference.digest === undefined ? { ...reference, tag: "latest" } : reference;
}

/** Under another tag. @throws {EngineError} `invalid` with Docker's text */
export function withTag({ domain, path }: Reference, tag: string): Reference {
  if (!tagPattern.test(tag)) throw invalid("invalid tag format");
  return { domain, path, tag };
}

/** As `withTag`, where clients may give a digest in the tag's place. */
export function withTagOrDigest(reference: Reference, text: string): Reference {
  return isDigest(text) ? { domain: reference.domain, path: reference.path, digest: text } : withTag(reference, text);
}

/** The form in the store: `docker.io/library/busybox:latest`. */
export function formatReference({ domain, path, tag, digest }: Reference): string {
  return `${domain}/${path}${tag === undefined ? "" : `:${tag}`}${digest ? `@${digest}` : ""}`;
}

/** The short form people know: `busybox:latest`. */
export function familiarReference(reference: Reference): string {
  const { tag, digest } = reference;
  return `${familiarName(reference)}${tag === undefined ? "" : `:${tag}`}${digest ? `@${digest}` : ""}`;
}

/** Repository without tag, short. */
export function familiarName({ domain, path }: Pick<Reference, "domain" | "path">): string {
  if (domain !== defaultDomain) return `${domain}/${path}`;
  return path.startsWith("library/") && !path.slice(8).includes("/") ? path.slice(8) : path;
}

const defaultDomain = "docker.io";

/** The first component is a registry when it looks like a host; Docker Hub's names come without one. */
function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf("/");
  const first = name.slice(0, slash);
  const isHost = slash >= 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const domain = isHost ? first : defaultDomain;
  const path = isHost ? name.slice(slash + 1) : name;
  if (domain === "index.docker.io" || domain === defaultDomain)
    return { domain: defaultDomain, path: path.includes("/") ? path : `library/${path}` };
  return { domain, path };
}

function invalid(message: string): EngineError {
  return new EngineError("invalid", message);
}
