export interface Volumes {
  /** `SOURCE:TARGET[:OPTIONS]`, in the order given. */
  readonly binds: readonly string[] | null;
  /** Targets of anonymous volumes. */
  readonly anonymous: Readonly<Record<string, object>>;
}

/** Sorts the values of `--volume` into binds and anonymous volumes. @param directory  relative sources start here. @throws {Error} */
export function parseVolumes(values: readonly string[], directory: string): Volumes {
  const binds: string[] = [];
  const anonymous: Record<string, object> = {};
  for (const value of new Set(values)) {
    const source = sourceOf(value);
    if (source === undefined) anonymous[value] = {};
    else binds.push(source.startsWith(".") ? absolute(source, directory) + value.slice(source.length) : value);
  }
  return { binds: binds.length > 0 ? binds : null, anonymous };
}

/** Undefined for an anonymous volume. */
function sourceOf(value: string): string | undefined {
  if (value === "") throw new Error("invalid empty volume spec");
  if (value.length <= 2) return undefined; // too short for a source and a target
  // A single letter before a colon is taken for a drive of Windows, as by Docker's client.
  const sections = value.match(/(?:(?<=^|:)[a-zA-Z]:)?[^:]*(?:$|:)/g)?.filter((section, index) => section !== "" || index === 0) ?? [];
  const parts = sections.map((section) => section.replace(/:$/, ""));
  if (value.endsWith(":") || parts.includes("")) throw new Error(`invalid spec: ${value}: empty section between colons`);
  if (parts.length > 3) throw new Error(`invalid spec: ${value}: too many colons`);
  return parts.length === 1 ? undefined : parts[0];
}

/** A relative path as an absolute one, without `.` and `..`. */
export function absolute(path: string, directory: string): string {
  const segments: string[] = [];
  for (const segment of (path.startsWith("/") ? path : `${directory}/${path}`).split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}
