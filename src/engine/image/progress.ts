/** One message of a pull, push or load, as Docker's clients read them. Source: Engine API, "CreateImageInfo"; moby, pkg/jsonmessage. */
export interface ImageProgress {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** The bar of `progressDetail` as text, for clients that do not draw it. */
  readonly progress?: string;
  readonly stream?: string;
  /** For programs: what has been pushed. Source: moby, api/types, PushResult. */
  readonly aux?: { readonly Tag: string; readonly Digest: string; readonly Size: number };
}

export type ReportProgress = (message: ImageProgress) => void;

const barWidth = 50;
/** Between two messages about one layer. */
const intervalMilliseconds = 100;

/** A step of a layer without a bar. @param digest  of the layer: its first twelve digits are the id */
export function layerStatus(status: string, digest: string): ImageProgress {
  return { status, progressDetail: {}, id: shortDigest(digest) };
}

/** A step of a layer with a bar. */
export function layerProgress(status: string, digest: string, current: number, total: number): ImageProgress {
  return { status, progressDetail: { current, total }, progress: progressBar(current, total), id: shortDigest(digest) };
}

/** A reporter of a layer's step that is quiet between its first, its last and a few messages per second. */
export function throttled(report: ReportProgress, status: string, digest: string, total: number): (current: number) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (current) => {
    const now = performance.now();
    if (current < total && now - last < intervalMilliseconds) return;
    last = now;
    report(layerProgress(status, digest, current, total));
  };
}

/** `[=====>     ]  1.2MB/3.4MB`. Source: moby, pkg/jsonmessage. */
export function progressBar(current: number, total: number): string {
  const done = total > 0 ? Math.min(barWidth, Math.trunc((current / total) * barWidth)) : barWidth;
  const counts = total > 0 && current <= total ? `/${humanSize(total)}` : "";
  const bar = total > 0 ? `[${"=".repeat(done)}>${" ".repeat(barWidth - done)}] ` : "";
  return `${bar}${humanSize(current).padStart(8)}${counts}`;
}

/** Decimal units with four digits. Source: docker/go-units, HumanSize. */
function humanSize(sizeBytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let value = sizeBytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${Number(value.toPrecision(4))}${units[unit]}`;
}

function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, 12);
}
