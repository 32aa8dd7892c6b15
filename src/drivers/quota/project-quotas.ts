import { mkdir } from "node:fs/promises";
import { diskFailure, isDiskFull } from "#lib/disk.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { Kernel } from "#os/kernel.ts";
import type { ProjectQuota } from "#types/record/project-quota.ts";
import type { ProjectIds } from "./project-ids.ts";

/** Limits of the size of folders by projects of the file system, in one place of the data root. What it sets outlives the daemon. */
export class ProjectQuotas {
  /** Why no folder of this place can be limited; undefined: they can. */
  readonly lack: string | undefined;
  readonly #place: string;
  readonly #kernel: Kernel;
  readonly #ids: ProjectIds;

  private constructor(place: string, kernel: Kernel, ids: ProjectIds, lack: string | undefined) {
    this.#place = place;
    this.#kernel = kernel;
    this.#ids = ids;
    this.lack = lack;
  }

  /** Finds out, by doing it, whether the file system below `place` keeps such limits. @param mode  of the place, which is made when missing */
  static async open(
    { place, mode }: { readonly place: string; readonly mode: number },
    kernel: Kernel,
    ids: ProjectIds,
  ): Promise<ProjectQuotas> {
    await mkdir(place, { recursive: true, mode });
    try {
      await kernel.run({ type: "probe-project-quota", folder: place, projectId: ids.probeId });
    } catch (error) {
      return new ProjectQuotas(place, kernel, ids, messageOf(error));
    }
    return new ProjectQuotas(place, kernel, ids, undefined);
  }

  /**
   * A project that nobody has, by the records and by the file system: instances, and engines of others, may share it.
   * @throws {EngineError} `unavailable` when none is free
   */
  async allot(): Promise<number> {
    for (let tried = 0; tried < this.#ids.range.count; tried++) {
      const id = this.#ids.take();
      if (await this.#isFree(id)) return id;
      this.#ids.free(id);
    }
    throw new EngineError("unavailable", "no project is free: the file system has files, or limits, of all that belong to this data root");
  }

  async #isFree(id: number): Promise<boolean> {
    try {
      await this.#kernel.run({ type: "refuse-used-project", folder: this.#place, projectId: id });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
      throw error;
    }
  }

  /**
   * Holds a folder, with what is in it and will be, to its limit. Done again it sees to it that nothing has changed.
   * @throws {EngineError} `unavailable` when the file system does it no more
   */
  async limit(folder: string, { id, sizeBytes }: ProjectQuota): Promise<void> {
    const failure = (reason: string, cause?: unknown): EngineError =>
      new EngineError("unavailable", `the size of ${folder} cannot be limited: ${reason}`, { cause });
    // It may take limits and keep none.
    if (this.lack !== undefined) throw failure(this.lack);
    try {
      await this.#kernel.run({ type: "limit-folder", folder, projectId: id, sizeBytes });
    } catch (error) {
      if (isDiskFull(error)) throw diskFailure(error);
      throw failure(messageOf(error), error);
    }
  }

  /** Lifts the limit of a folder that is about to be removed: its project is found by the folder itself, which may have no record. */
  release(folder: string): Promise<void> {
    return this.#kernel.run({ type: "release-folder", folder, projects: this.#ids.range });
  }

  /** The project is free for others. */
  free(quota: ProjectQuota | undefined): void {
    if (quota) this.#ids.free(quota.id);
  }
}
