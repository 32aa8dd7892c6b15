import { mkdir } from "node:fs/promises";
import { EngineError } from "#lib/errors.ts";
import type { Kernel } from "#os/kernel.ts";
import type { ProjectQuota } from "#types/record/project-quota.ts";
import type { ProjectQuotas } from "../quota/project-quotas.ts";
import { SizedDisks } from "./sized-disk.ts";

/** A folder of a limited size, for a container's upper and work. */
export interface SizedFolder {
  readonly folder: string;
  /** Where a file with a file system is, or would be, that is mounted there. */
  readonly file: string;
  readonly sizeBytes: number;
  /** The file system of the data root keeps the limit; there is no file then. */
  readonly quota?: ProjectQuota;
}

/** Both ways to limit the size of what a container writes. */
export class SizedFolders {
  readonly #disks: SizedDisks;
  readonly #quotas: ProjectQuotas | undefined;

  constructor(kernel: Kernel, quotas: ProjectQuotas | undefined) {
    this.#disks = new SizedDisks(kernel);
    this.#quotas = quotas;
  }

  /**
   * Can be used, and is limited, when it resolves.
   * @param make  makes it when it is not there yet; else that is a success
   */
  async open({ quota, ...disk }: SizedFolder, make: boolean): Promise<void> {
    if (!quota) return this.#disks.open(disk, make);
    if (!make) return;
    await makeFolder(disk.folder);
    await this.#needQuotas().limit(disk.folder, quota);
  }

  /**
   * For who looks into it, or puts something there, beside a run: a file system that keeps no limits any more gives files back all the same.
   * @see {@link open}
   */
  async openAnyway(sized: SizedFolder): Promise<void> {
    if (sized.quota && this.#needQuotas().lack !== undefined) await makeFolder(sized.folder);
    else await this.open(sized, true);
  }

  /** What is in it stays, without a limit, for who removes it. Success when it is not there. */
  async remove({ file, folder, quota }: Omit<SizedFolder, "sizeBytes">): Promise<void> {
    await this.#disks.remove({ file, folder });
    await this.#quotas?.release(folder);
    this.#quotas?.free(quota);
  }

  /** Those with a file system of their own that nobody uses are unmounted. */
  close(isUsed: (folder: string) => boolean): Promise<void> {
    return this.#disks.close(isUsed);
  }

  #needQuotas(): ProjectQuotas {
    if (!this.#quotas) throw new EngineError("internal", "a limit by a project quota, without project quotas");
    return this.#quotas;
  }
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}
