export interface ImageReference {
  /** Without Docker Hub's host and `library/`. */
  readonly name: string;
  readonly tag?: string;
  readonly digest?: string;
}

const component = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const host =
  "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\\[[a-fA-F0-9:]+\\]";
const pattern = new RegExp(
  `^((?:(?:${host})(?::[0-9]+)?/)?${component}(?:/${component})*)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);

/** @returns undefined for what is no reference, such as an id. Source: distribution/reference. */
export function parseReference(text: string): ImageReference | undefined {
  const match = text.length <= 512 ? pattern.exec(text) : null;
  if (!match?.[1] || /^[a-f0-9]{64}$/.test(text)) return undefined;
  const name = match[1].replace(/^(?:docker\.io|index\.docker\.io)\//, "").replace(/^library\/(?=[^/]+$)/, "");
  return { name, ...(match[2] ? { tag: match[2] } : {}), ...(match[3] ? { digest: match[3] } : {}) };
}

/** @throws {Error} with Docker's words, unless `text` is a reference or an id */
export function checkReference(text: string): void {
  if (/^[a-f0-9]{64}$/.test(text) || /^sha256:[a-f0-9]{64}$/.test(text) || parseReference(text)) return;
  if (!parseReference(text.toLowerCase()) && !/[A-Z]/.test(text)) throw new Error("invalid reference format");
  const repository = /^[^@]*?(?=:[^/]*$|@|$)/.exec(text)?.[0] ?? text;
  if (!/[A-Z]/.test(repository)) throw new Error("invalid reference format");
  throw new Error(
    `invalid reference format: repository name (${repository.includes("/") ? repository : `library/${repository}`}) must be lowercase`,
  );
}

/** `busybox` → `busybox:latest`; undefined for what cannot be pulled. */
export function familiarName(text: string): string | undefined {
  const reference = parseReference(text);
  if (!reference) return undefined;
  const tag = reference.tag ?? (reference.digest ? undefined : "latest");
  return `${reference.name}${tag ? `:${tag}` : ""}${reference.digest ? `@${reference.digest}` : ""}`;
}

/** With its registry and repository in full: `docker.io/library/busybox:latest`. */
export function fullName(name: string): string {
  const first = name.split("/", 1)[0] ?? "";
  if (name.includes("/") && (/[.:]/.test(first) || first === "localhost")) return name;
  return `docker.io/${name.includes("/") ? "" : "library/"}${name}`;
}
