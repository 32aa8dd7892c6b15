import { EngineError } from "#lib/errors.ts";
import type { TarEntry } from "#lib/tar/entry.ts";
import { TarReader } from "#lib/tar/reader.ts";
import type { LayerWriter } from "./layer-writer.ts";
import { pushFile } from "./push-file.ts";

const secondsPerDay = 86_400;

/** What differs from run to run, belongs to the machine that made it, or is made anew when it is needed. */
const leftOut = [
  /^dev\/./,
  /^run\/./,
  /^tmp\/./,
  /^var\/log\/.*[^/]$/,
  /^var\/lib\/apt\/lists\/./,
  /^var\/cache\/apt\/.*[^/]$/,
  /^var\/cache\/ldconfig\/./,
  /^var\/cache\/debconf\/.*-old$/,
  /^var\/lib\/dpkg\/.*-old$/,
  /^etc\/(hostname|resolv\.conf|machine-id|.*-)$/,
];

/** Seconds since 1970 of the newest package: its changelog carries its time. */
export function newestPackage(archive: string): number {
  let newest = 0;
  const reader = new TarReader({
    entry({ path, modified }) {
      if (/^(\.\/)?usr\/share\/doc\/[^/]+\/changelog[^/]*$/.test(path)) newest = Math.max(newest, modified.seconds);
    },
  });
  pushFile(archive, reader);
  if (newest === 0) throw new EngineError("internal", "the new system holds no packages");
  return newest;
}

/** Copies a system, without what is left out, nothing younger than its packages. Order stays: mmdebstrap sorts by name. */
export function copyReproducibly(archive: string, layer: LayerWriter, epochSeconds: number): void {
  let kept = false;
  let shadow: Buffer[] | undefined;
  const reader = new TarReader({
    entry(entry) {
      const path = entry.path.replace(/^\.\//, "");
      kept = path !== "" && !leftOut.some((pattern) => pattern.test(path));
      if (!kept) return;
      shadow = path === "etc/shadow" ? [] : undefined;
      if (!shadow) layer.begin(headOf(entry, path, epochSeconds));
    },
    data(chunk) {
      if (shadow) shadow.push(Buffer.from(chunk));
      else if (kept) layer.data(chunk);
    },
    end(entry) {
      if (!kept) return;
      if (!shadow) return layer.end(entry.storedBytes);
      const { sizeBytes: _size, ...head } = headOf(entry, "etc/shadow", epochSeconds);
      layer.add(head, Buffer.from(redated(Buffer.concat(shadow).toString(), epochSeconds)));
    },
  });
  pushFile(archive, reader);
}

function headOf(entry: TarEntry, path: string, epochSeconds: number) {
  const { type, mode, uid, gid, storedBytes, deviceMajor, deviceMinor, xattrs } = entry;
  const seconds = Math.min(entry.modified.seconds, epochSeconds);
  const link = type === "hardlink" ? entry.link.replace(/^\.\//, "") : entry.link;
  return {
    type,
    path,
    link,
    mode,
    uid,
    gid,
    modified: { seconds, nanoseconds: 0 },
    sizeBytes: storedBytes,
    deviceMajor,
    deviceMinor,
    xattrs,
  };
}

/** The third field is the day of the last change of the password. Source: shadow(5). */
function redated(shadow: string, epochSeconds: number): string {
  return shadow.replace(/^([^:\n]*:[^:\n]*):\d+:/gm, `$1:${Math.floor(epochSeconds / secondsPerDay)}:`);
}
