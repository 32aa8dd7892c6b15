import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { buildFromTree, readTree } from "#drivers/snapshot/build.ts";
import type { LayerForm } from "#drivers/snapshot/helper-protocol.ts";
import { mountErofs, unmount } from "#os/mount.ts";

export interface ShownLayer {
  /** Where its files are: the mounted index, or a folder where the layer has to be unpacked. */
  readonly target: string;
  readonly index: string;
  readonly form: LayerForm;
}

/** Shows `body` a stored tar as the kernel has it through an index; everything is beside the tar, and goes afterwards. */
export async function withIndexOf(tar: string, body: (layer: ShownLayer) => Promise<void>): Promise<void> {
  const output = mkdtempSync(join(dirname(tar), "layer-"));
  const [index, mounted] = [join(output, "index"), join(output, "mount")];
  mkdirSync(mounted);
  try {
    const { form } = buildFromTree(readTree(tar), { tar, output, form: "erofs", lowers: [] });
    if (form === "erofs") mountErofs(index, tar, mounted);
    await body({ target: form === "erofs" ? mounted : join(output, "fs"), index, form });
  } finally {
    unmount(mounted);
    rmSync(output, { recursive: true, force: true });
  }
}
