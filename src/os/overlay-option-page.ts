import { cString, check, libc } from "./libc.ts";
import type { OverlayOptions } from "./mount.ts";

/** The kernel copies one page of options. Source: mount(2). */
const pageBytes = 4096;

/**
 * Mounts an overlay by mount(2), for kernels before 6.8, which take all lowers as one option.
 * @throws {SystemError}, or an error that says that the layers do not fit into a page of options
 */
export function mountOverlayByPage({ lowers, upper, work, target, options }: OverlayOptions): void {
  const places = [
    `lowerdir=${lowers.map((lower) => escaped(lower, /[\\:,]/g)).join(":")}`,
    ...(upper === undefined ? [] : [`upperdir=${escaped(upper, /[\\,]/g)}`]),
    ...(work === undefined ? [] : [`workdir=${escaped(work, /[\\,]/g)}`]),
  ];
  const data = cString([...places, ...options].join(","));
  if (data.length > pageBytes)
    throw new Error(`mount overlay on ${target}: ${lowers.length} layers do not fit into a page of options; Linux 6.8 or newer takes them`);
  const [source, place, type] = [cString("overlay"), cString(target), cString("overlay")];
  check(libc.mount(source, place, type, 0, data), `mount overlay on ${target}`);
}

function escaped(path: string, special: RegExp): string {
  return path.replace(special, (character) => `\\${character}`);
}
