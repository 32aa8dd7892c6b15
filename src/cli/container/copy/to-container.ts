import type { Invocation } from "../../command.ts";
import { ExitError } from "../../errors.ts";
import type { CopyArgument, CopyOptions } from "../cp.ts";
import { planCopy, sourceInfo, type CopyInfo } from "./copy-info.ts";
import { isDevice, isDirectory, isSymlink } from "./go-file-mode.ts";
import { packLocal } from "./pack.ts";
import { absolute, linkedPath } from "./paths.ts";
import { Transfer } from "./transfer.ts";

type Surroundings = Pick<Invocation, "client" | "err" | "isTerminal">;

/** `cp SRC_PATH|- CONTAINER:DEST_PATH` */
export async function copyToContainer(
  { client, err, isTerminal }: Surroundings,
  source: string,
  destination: CopyArgument,
  options: CopyOptions,
): Promise<void> {
  const { container } = destination;
  const path = source === "-" ? "-" : absolute(source, process.cwd());
  const info = await destinationInfo(client, destination);
  if (path === "-") {
    if (!info.isDirectory) throw new ExitError(1, `destination "${container}:${destination.path}" must be a directory`);
    await client.containers.copyTo(container, info.path, chunksOf(Bun.stdin.stream()), options);
    return;
  }
  const from = sourceInfo(path, options.followLink);
  const plan = planCopy(from, info);
  const transfer = new Transfer(err, "Copying to container - ");
  const archive = packLocal(from, plan.renames);
  if (options.quiet) return client.containers.copyTo(container, plan.folder, archive, options);
  transfer.begin(await isTerminal(2));
  try {
    await client.containers.copyTo(container, plan.folder, transfer.counted(archive), options);
  } finally {
    await transfer.stop();
  }
  await transfer.end(`${container}:${info.path}`);
}

/** What is missing there is no failure yet: the daemon decides. */
async function destinationInfo(client: Surroundings["client"], { container, path }: CopyArgument): Promise<CopyInfo> {
  const look = (at: string) => client.containers.statPath(container, at).catch(() => undefined);
  let target = path;
  let stat = await look(path);
  if (stat && isSymlink(stat.mode)) {
    target = linkedPath(path, stat.linkTarget);
    stat = await look(target);
  }
  if (stat && isDevice(stat.mode))
    throw new ExitError(1, `destination "${container}:${path}" must be a directory or a regular file: got a device`);
  return { path: target, exists: stat !== undefined, isDirectory: stat !== undefined && isDirectory(stat.mode), rebaseName: "" };
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of stream) yield chunk;
}
