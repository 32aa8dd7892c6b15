export interface Volumes {
  /** `SOURCE:TARGET[:OPTIONS]`, in the order given. */
  readonly binds: readonly string[] | null;
  /** Targets of anonymous volumes. */
  readonly anonymous: Readonly<Record<string, object>>;
}

/** Sorts the values of `--volume` into binds and anonymous volumes. @param directory  relative sources start here */
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

/** Undefined for an anonymous volume. What is malformed is sent as it is: the daemon names the fault. */
function sourceOf(value: string): string | undefined {
  if (value.length <= 2) return undefined; // too short for a source and a target
  // A single letter before the colon is taken for a drive of Windows, as by Docker's client.
  const match = /^((?:[a-zA-Z]:)?[^:]+):./.exec(value) ?? undefined;
  return match?.[1];
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
