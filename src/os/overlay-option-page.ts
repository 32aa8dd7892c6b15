import { cString, check, libc } from "./libc.ts";
import type { OverlayOptions } from "./mount.ts";

/** The kernel copies one page of options. Source: mount(2). */
const pageBytes = 4096;

const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;

/**
 * Mounts an overlay by mount(2), for kernels before 6.8, which take all lowers as one option. Paths that do not fit are opened, and named
 * by their descriptors while the mount is made: these names stay in /proc/self/mountinfo, where only the top lower can be read then.
 * @throws {SystemError}, or an error that says that the layers do not fit into a page of options
 */
export function mountOverlayByPage(overlay: OverlayOptions): void {
  const data = optionPage(overlay);
  if (data.length <= pageBytes) return mountPage(overlay, data);
  const [top = "", ...others] = overlay.lowers;
  const descriptors: number[] = [];
  try {
    for (const lower of others) descriptors.push(check(libc.open(cString(lower), O_PATH | O_CLOEXEC, 0), `open layer ${lower}`));
    const short = optionPage({ ...overlay, lowers: [top, ...descriptors.map((descriptor) => `/proc/self/fd/${descriptor}`)] });
    if (short.length > pageBytes)
      throw new Error(
        `mount overlay on ${overlay.target}: ${overlay.lowers.length} layers do not fit into a page of options; Linux 6.8 or newer takes them`,
      );
    mountPage(overlay, short);
  } finally {
    for (const descriptor of descriptors) libc.close(descriptor);
  }
}

function optionPage({ lowers, upper, work, options }: OverlayOptions): Buffer {
  const places = [
    `lowerdir=${lowers.map((lower) => escaped(lower, /[\\:,]/g)).join(":")}`,
    ...(upper === undefined ? [] : [`upperdir=${escaped(upper, /[\\,]/g)}`]),
    ...(work === undefined ? [] : [`workdir=${escaped(work, /[\\,]/g)}`]),
  ];
  return cString([...places, ...options].join(","));
}

function mountPage({ target }: OverlayOptions, data: Buffer): void {
  const [source, place, type] = [cString("overlay"), cString(target), cString("overlay")];
  check(libc.mount(source, place, type, 0, data), `mount overlay on ${target}`);
}

function escaped(path: string, special: RegExp): string {
  return path.replace(special, (character) => `\\${character}`);
}
