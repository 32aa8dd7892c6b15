import { join } from "node:path";
import { EngineError } from "#lib/errors.ts";
import { sourceLine, sourcesOf } from "./apt-sources.ts";
import type { BootstrappedImage } from "./image-archive.ts";
import { LayerWriter } from "./layer-writer.ts";
import { copyReproducibly, newestPackage } from "./reproducible.ts";
import { findProgram, run } from "./run.ts";

/** `debian:SUITE`, the smallest variant that has apt, by mmdebstrap from the mirror that this host uses itself. */
export async function buildDebian(
  suite: string,
  folder: string,
  options: { readonly mirror?: string; readonly tell: (line: string) => void },
): Promise<BootstrappedImage> {
  if (!/^[a-z][a-z0-9-]*$/.test(suite))
    throw new EngineError("invalid", `invalid suite ${JSON.stringify(suite)}: a name like bookworm is expected`);
  findProgram("mmdebstrap");
  const sources = options.mirror === undefined ? sourcesOf(suite) : [{ uri: options.mirror, suite }];
  options.tell(
    `installing Debian ${suite} from ${sources.map((source) => `${source.uri} ${source.suite}`).join(", ")}: about half a minute`,
  );
  const made = join(folder, "made.tar");
  // Any time does here: what is made now is dated by the newest package below.
  await run(["mmdebstrap", "--quiet", "--variant=minbase", "--mode=auto", suite, made, ...sources.map(sourceLine)], {
    folder,
    epochSeconds: Math.floor(Date.now() / 1000),
  });
  options.tell("making the image reproducible");
  const epochSeconds = newestPackage(made);
  using layer = new LayerWriter(join(folder, "layer.tar"));
  copyReproducibly(made, layer, epochSeconds);
  return {
    reference: `debian:${suite}`,
    layer: layer.finish(),
    command: ["bash"],
    epochSeconds,
    labels: { "org.opencontainers.image.title": `debian:${suite}` },
    createdBy: `gantry image bootstrap debian:${suite} (mmdebstrap, minbase)`,
  };
}
