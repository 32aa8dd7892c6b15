import type { HelperPool } from "#drivers/snapshot/helper-process.ts";
import { KeyedMutex } from "#lib/async.ts";
import type { Logger } from "#lib/log.ts";
import type { ImageRecord } from "#types/record/image.ts";
import type { ImageTransferDependencies } from "../dependencies.ts";
import { progressBar, type ReportProgress } from "../progress.ts";
import { checkParts } from "./check-parts.ts";
import { keyOf, partsOf, strayParts, type Part } from "./parts.ts";
import type { VerifyReport } from "./report.ts";
import { verifiedImage, verifiedStrays, type PlannedImage } from "./verified.ts";

export interface VerifyDependencies extends Pick<ImageTransferDependencies, "images" | "content" | "snapshots"> {
  readonly helpers: HelperPool;
  readonly log: Logger;
}

/** Between two messages about the whole. */
const intervalMilliseconds = 100;

/** Reads images again and compares everything of them with its digest. One verification at a time: they would wait for the same disk. */
export class ImageVerification {
  readonly #deps: VerifyDependencies;
  readonly #turns = new KeyedMutex();

  constructor(deps: VerifyDependencies) {
    this.#deps = deps;
  }

  /**
   * @param names  of images; none: all of them, and what no image names
   * @throws {EngineError} `not_found` with Docker's text before anything is read; the signal's reason
   */
  async verify(names: readonly string[], progress: ReportProgress, signal: AbortSignal): Promise<VerifyReport> {
    for (const name of names) this.#deps.images.find(name);
    return this.#turns.run("verify", async () => {
      signal.throwIfAborted();
      return verifyAll(this.#deps, names, progress, signal);
    });
  }
}

async function verifyAll(
  deps: VerifyDependencies,
  names: readonly string[],
  progress: ReportProgress,
  signal: AbortSignal,
): Promise<VerifyReport> {
  const { images } = deps;
  const wanted = names.length > 0 ? [...new Set(names.map((name) => images.find(name)))] : images.list();
  const present = new Set<string>(await deps.snapshots.layers());
  const targetsOf = ({ id }: ImageRecord): string[] => images.references(id).map(({ targetDigest }) => targetDigest);
  const plan = async (image: ImageRecord): Promise<PlannedImage> => {
    const targets = targetsOf(image);
    return { image, targets, ...(await partsOf(image, { targets, present }, deps)) };
  };
  const planned = await Promise.all(wanted.map(plan));
  const all = images.list();
  const strays = names.length > 0 ? [] : await strayParts({ images: all, targets: all.flatMap(targetsOf) }, present, deps);
  const parts = distinct([...planned.flatMap((one) => one.parts), ...strays]);
  const onChecked = counted(parts, names.length === 1 ? (names[0] ?? "") : `${wanted.length} images`, progress);
  const found = await checkParts(parts, { ...deps, onChecked }, signal);
  const verified = await Promise.all(planned.map((one) => verifiedImage(deps, one, found)));
  const report: VerifyReport = {
    images: verified.filter(({ id }) => images.peek(id)), // without those that were removed meanwhile
    ...(names.length === 0 && { others: verifiedStrays(strays, found) }),
  };
  tell(deps, report);
  return report;
}

function distinct(parts: readonly Part[]): Part[] {
  return [...new Map(parts.map((part) => [keyOf(part), part])).values()];
}

/** Tells how far it is, now and then. */
function counted(parts: readonly Part[], id: string, progress: ReportProgress): (part: Part) => void {
  const total = parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let [current, last] = [0, Number.NEGATIVE_INFINITY];
  const say = (): void => {
    last = performance.now();
    progress({ status: "Verifying", id, progressDetail: { current, total }, progress: progressBar(current, total) });
  };
  say();
  return ({ sizeBytes }) => {
    current += sizeBytes;
    if (current >= total || performance.now() - last >= intervalMilliseconds) say();
  };
}

function tell({ log }: VerifyDependencies, { images, others }: VerifyReport): void {
  for (const { id, damages } of images)
    for (const { object, digest, reason, file } of damages) log.error("image is damaged", { image: id, object, digest, reason, file });
  for (const { object, digest, reason, file } of others?.damages ?? [])
    log.error("content of no image is damaged", { object, digest, reason, file });
}
