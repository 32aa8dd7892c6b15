import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EngineError } from "#lib/errors.ts";
import { buildAptSystem, variants, type AptSystem, type Variant } from "./apt-system.ts";
import { buildBusybox } from "./busybox.ts";
import { distributions } from "./distributions.ts";
import { imageArchive, type BootstrappedImage } from "./image-archive.ts";

export interface BootstrapOptions extends Partial<Omit<AptSystem, "distribution" | "suite" | "variant" | "tell">> {
  /** File that gets the archive, `-` for stdout. */
  readonly output: string;
  readonly variant?: string;
  /** Progress, a line each. */
  readonly tell?: (line: string) => void;
}

/**
 * Makes a first image without any registry, from signed packages: `busybox` of the host's distribution, `debian:SUITE` or `ubuntu:SUITE`. The
 * same versions of the packages make the same digests.
 * @throws {EngineError} `invalid` for another name or a bad option; `unavailable` saying what to install, or what apt complained of
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

function build(name: string, folder: string, options: BootstrapOptions): Promise<BootstrappedImage> {
  const { output: _output, variant, tell = () => {}, ...rest } = options;
  if (name === "busybox" || name === "busybox:latest") {
    if (variant !== undefined || Object.keys(rest).length > 0)
      throw new EngineError("invalid", "busybox is made of this host's own package: it has no options");
    return buildBusybox(folder, tell);
  }
  const [repository, suite] = name.split(/:(.*)/s);
  const distribution = distributions.find((one) => one.name === repository);
  if (!distribution || suite === undefined)
    throw new EngineError(
      "invalid",
      `cannot bootstrap ${JSON.stringify(name)}: use busybox, debian:SUITE or ubuntu:SUITE, for example debian:bookworm or ubuntu:noble`,
    );
  const system = { components: ["main"], include: [], ...rest, variant: parseVariant(variant ?? "minbase"), distribution, suite, tell };
  return buildAptSystem(system, folder);
}

function parseVariant(text: string): Variant {
  const variant = variants.find((one) => one === text);
  if (!variant) throw new EngineError("invalid", `invalid variant ${JSON.stringify(text)}: use one of ${variants.join(", ")}`);
  return variant;
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
