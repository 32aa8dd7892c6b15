import { version } from "#lib/version.ts";
import type { ContainerConfig } from "#types/engine-api/index.ts";
import type { ImageConfig, ImageHistory } from "#types/oci/image.ts";
import { orderedConfig } from "../ordered-config.ts";

/** What is known of an image that a container becomes. */
export interface MadeImage {
  /** RFC 3339 with nanoseconds. */
  readonly created: string;
  readonly author: string;
  readonly comment: string;
  readonly config: ContainerConfig;
  readonly container: { readonly id: string; readonly config: ContainerConfig };
  /** Of the image that the container was made from. */
  readonly base: ImageConfig;
  /** Of the layer with the container's changes; absent when there are none. */
  readonly diffId?: string;
}

/** Content of the config blob, its fields in the order of Docker's. Source: moby, image/spec. */
export function madeConfig(made: MadeImage): Uint8Array {
  const { base, container, created, author, comment, diffId } = made;
  const step: ImageHistory = {
    created,
    created_by: [...(container.config.Entrypoint ?? []), ...(container.config.Cmd ?? [])].join(" "),
    ...(author !== "" && { author }),
    ...(comment !== "" && { comment }),
    ...(diffId === undefined && { empty_layer: true }),
  };
  const document = {
    architecture: base.architecture,
    ...(author !== "" && { author }),
    config: orderedConfig(made.config),
    container: container.id,
    container_config: orderedConfig(container.config),
    created,
    docker_version: version,
    history: [...(base.history ?? []), step],
    os: base.os,
    ...(base["os.version"] !== undefined && { "os.version": base["os.version"] }),
    rootfs: { type: "layers", diff_ids: [...base.rootfs.diff_ids, ...(diffId === undefined ? [] : [diffId])] },
    ...(base.variant !== undefined && { variant: base.variant }),
  };
  return Buffer.from(JSON.stringify(document));
}
