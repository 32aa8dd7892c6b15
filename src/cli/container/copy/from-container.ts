import type { Invocation } from "../../command.ts";
import type { CopyArgument, CopyOptions } from "../cp.ts";
import { checkOutputPath, destinationInfo, planCopy, renaming, type CopyInfo } from "./copy-info.ts";
import { isDirectory, isSymlink } from "./go-file-mode.ts";
import { absolute, afterLink, linkedPath, splitEntry } from "./paths.ts";
import { Transfer } from "./transfer.ts";
import { unpackInto } from "./unpack.ts";

type Surroundings = Pick<Invocation, "client" | "out" | "err" | "isTerminal">;

/** `cp CONTAINER:SRC_PATH DEST_PATH|-` */
export async function copyFromContainer(
  { client, out, err, isTerminal }: Surroundings,
  source: CopyArgument,
  destination: string,
  options: CopyOptions,
): Promise<void> {
  const target = destination === "-" ? "-" : absolute(destination, process.cwd());
  checkOutputPath(target);
  const { path, rebaseName } = options.followLink ? await followLink(client, source) : { path: source.path, rebaseName: "" };
  const { stat, archive } = await client.containers.copyFrom(source.container, path);
  if (target === "-") {
    for await (const chunk of archive) await out.write(chunk);
    return;
  }
  const info: CopyInfo = { path, exists: true, isDirectory: isDirectory(stat.mode), rebaseName };
  const transfer = new Transfer(err, "Copying from container - ");
  if (!options.quiet) transfer.begin(await isTerminal(2));
  try {
    const plan = planCopy(info, destinationInfo(target));
    const first = rebaseName === "" ? [] : [renaming(splitEntry(path).base, rebaseName)];
    await unpackInto(transfer.counted(archive), { ...plan, renames: [...first, ...plan.renames] });
  } finally {
    await transfer.stop();
  }
  if (!options.quiet) await transfer.end(target);
}

async function followLink(client: Surroundings["client"], { container, path }: CopyArgument) {
  const stat = await client.containers.statPath(container, path).catch(() => undefined); // the copy itself tells what is wrong
  if (!stat || !isSymlink(stat.mode)) return { path, rebaseName: "" };
  return afterLink(path, linkedPath(path, stat.linkTarget));
}
