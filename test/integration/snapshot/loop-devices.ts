import { readdirSync, readFileSync } from "node:fs";

export interface LoopDevice {
  readonly path: string;
  readonly file: string;
  readonly isReadOnly: boolean;
  readonly usesDirectIo: boolean;
}

/** Loop devices that have a file below a folder, by the names of their files. Source: sysfs, /sys/block/loopN. */
export function loopDevicesOf(folder: string): LoopDevice[] {
  return readdirSync("/sys/block")
    .filter((name) => name.startsWith("loop"))
    .flatMap((name) => {
      const file = read(`/sys/block/${name}/loop/backing_file`);
      if (!file.startsWith(`${folder}/`)) return [];
      const isReadOnly = read(`/sys/block/${name}/ro`) === "1";
      return [{ path: `/dev/${name}`, file, isReadOnly, usesDirectIo: read(`/sys/block/${name}/loop/dio`) === "1" }];
    })
    .sort((first, second) => (first.file < second.file ? -1 : 1));
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return ""; // nothing is attached
  }
}
