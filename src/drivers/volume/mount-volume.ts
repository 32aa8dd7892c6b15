import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { Kernel } from "#os/kernel.ts";
import type { MountCall } from "#os/mount.ts";
import type { HelperPool } from "../snapshot/helper-process.ts";
import { parseMountOptions } from "./mount-options.ts";
import type { VolumeOptions } from "./types.ts";

/** These never wait for a server or a disk. Everything else is mounted by a process of its own, which may wait as long as it takes. */
const quickTypes = ["tmpfs", "none", "", "bind"];

/** @throws {EngineError} `invalid` with Docker's texts */
export async function mountVolume(
  { kernel, helpers }: { readonly kernel: Kernel; readonly helpers: HelperPool },
  options: VolumeOptions,
  target: string,
): Promise<void> {
  try {
    const call = await mountCall(options, target);
    const mounting = quickTypes.includes(call.fileSystem)
      ? kernel.run({ type: "mount", ...call })
      : helpers.run("mount-volume", call, new AbortController().signal);
    await mounting.catch((error: unknown) => {
      throw new Error(`failed to mount local volume: ${messageOf(error)}`, { cause: error });
    });
  } catch (error) {
    throw new EngineError("invalid", `error while mounting volume '${target}': ${messageOf(error)}`, { cause: error });
  }
}

async function mountCall(options: VolumeOptions, target: string): Promise<MountCall> {
  const { type = "", device = "", o = "" } = options;
  return { source: device, target, fileSystem: type, ...parseMountOptions(await withServerAddress(type, o)) };
}

/** The kernel knows no names: it is given the address of the server. */
async function withServerAddress(type: string, options: string): Promise<string> {
  const server = /(?:^|,)addr=([^,]*)/.exec(options)?.[1];
  if (!/^(nfs4?|cifs)$/.test(type) || server === undefined || server === "" || isIP(server) !== 0) return options;
  try {
    const { address } = await lookup(server);
    return options.replace(`addr=${server}`, `addr=${address}`);
  } catch (error) {
    throw new Error(`error resolving passed in network volume address: lookup ${server}: no such host`, { cause: error });
  }
}
