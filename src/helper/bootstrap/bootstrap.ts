import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError } from "#lib/errors.ts";
import { buildBusybox } from "./busybox.ts";
import { buildDebian } from "./debian.ts";
import { imageArchive, type BootstrappedImage } from "./image-archive.ts";

export interface BootstrapOptions {
  /** File that gets the archive, `-` for stdout. */
  readonly output: string;
  /** Mirror of Debian; absent: the one this host uses. */
  readonly mirror?: string;
  /** Progress, a line each. */
  readonly tell?: (line: string) => void;
}

/**
 * Makes a first image without any registry, from the signed packages of the host's distribution: `busybox`, or `debian:SUITE`. The same
 * versions of the packages make the same digests.
 * @throws {EngineError} `invalid` for another name; `unavailable` saying what to install, or what apt complained of
 */
export async function bootstrapImage(name: string, options: BootstrapOptions): Promise<{ readonly reference: string }> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-bootstrap-"));
  try {
    const image = await build(name, folder, options);
    await write(image, options.output);
    return { reference: image.reference };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function build(name: string, folder: string, { mirror, tell = () => {} }: BootstrapOptions): Promise<BootstrappedImage> {
  if (name === "busybox" || name === "busybox:latest") return buildBusybox(folder, tell);
  const suite = /^debian:(.+)$/.exec(name)?.[1];
  if (suite !== undefined) return buildDebian(suite, folder, { tell, ...(mirror !== undefined && { mirror }) });
  throw new EngineError("invalid", `cannot bootstrap ${JSON.stringify(name)}: use busybox or debian:SUITE, for example debian:bookworm`);
}

async function write(image: BootstrappedImage, output: string): Promise<void> {
  const descriptor = output === "-" ? 1 : openSync(output, "w", 0o644);
  try {
    for await (const chunk of imageArchive(image))
      for (let written = 0; written < chunk.length;) written += writeSync(descriptor, chunk, written);
  } finally {
    if (descriptor !== 1) closeSync(descriptor);
  }
}
