import type { Invocation } from "../command.ts";
import type { Output } from "../output.ts";
import { printProgress } from "../progress.ts";
import { registryAuth } from "../registry/credentials.ts";
import { parseReference } from "./reference.ts";

export interface PullOptions extends Pick<Invocation, "client" | "config" | "isTerminal"> {
  readonly reference: string;
  readonly platform: string;
  readonly isQuiet: boolean;
  readonly allTags?: boolean;
  /** Where progress goes: stderr for `run`, stdout for `pull`. */
  readonly to: Output;
}

/** Pulls an image and shows the progress. @throws {Error} with Docker's words for a bad reference, and what the registry says */
export async function pullImage(options: PullOptions): Promise<void> {
  const reference = parseReference(options.reference);
  if (!reference) throw new Error("invalid reference format");
  const config = await options.config();
  const tag = reference.digest ?? reference.tag ?? (options.allTags ? "" : "latest");
  const messages = options.client.images.pull({
    name: reference.name,
    tag,
    platform: options.platform,
    registryAuth: await registryAuth(config, reference.name),
  });
  await printProgress(messages, { to: options.to, isQuiet: options.isQuiet, isTerminal: () => options.isTerminal(1) });
}
