import { writeSync } from "node:fs";
import { findBlobDamage } from "#drivers/content/verify.ts";
import { buildLayer } from "#drivers/snapshot/build.ts";
import { findChanges } from "#drivers/snapshot/diff.ts";
import type { HelperCommand, HelperCommands, HelperReply } from "#drivers/snapshot/helper-protocol.ts";
import { ingestLayer } from "#drivers/snapshot/ingest.ts";
import { copyUsage } from "#drivers/snapshot/usage.ts";
import { findLayerDamage } from "#drivers/snapshot/verify.ts";
import { copyRoot } from "#drivers/snapshot/vfs/copy-root.ts";
import { copyUp } from "#drivers/volume/copy-up.ts";
import { attachMountOfProcess } from "#os/detached-tree.ts";
import { mountWithPropagation } from "#os/mount.ts";
import { removeTree } from "#os/remove-tree.ts";
import { writeDiffArchive } from "#drivers/snapshot/write-diff.ts";
import { replyFailure } from "./failure.ts";
import { restrictSelf } from "./restrict.ts";

type Handlers = {
  readonly [Command in HelperCommand]: (
    request: HelperCommands[Command]["request"],
  ) => HelperCommands[Command]["result"] | Promise<HelperCommands[Command]["result"]>;
};

const handlers: Handlers = {
  ingest: ingestLayer,
  build: buildLayer,
  diff: ({ upper, lowers }) => findChanges(upper, lowers),
  "write-diff": ({ upper, lowers, path }) => writeDiffArchive(upper, lowers, path),
  usage: ({ upper, lowers }) => copyUsage(upper, lowers),
  "copy-root": (request) => copyRoot(request),
  "copy-up": (request) => copyUp(request),
  "remove-tree": ({ path }) => {
    removeTree(path);
    return null;
  },
  "mount-volume": (request) => {
    mountWithPropagation(request);
    return null;
  },
  "attach-of-process": ({ process, path, target }) => {
    attachMountOfProcess(process, path, target);
    return null;
  },
  verify: (layers) => layers.map(findLayerDamage),
  "verify-blobs": findBlobDamage,
};

/** What is no single piece of work. The client starts these for a person, but for the first: they work with the host's own programs and keep its rights. */
const tools: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  /** Of the daemon, for as long as it sends requests. */
  archive: async () => {
    restrictSelf();
    await (await import("#drivers/archive/serve.ts")).serveArchives(replyFailure);
    return 0;
  },
  audit: async (args) => (await import("./audit/command.ts")).runAudit(args),
  bootstrap: async (args) => (await import("./bootstrap/command.ts")).runBootstrap(args),
  registry: async () => (await import("./registry/command.ts")).runRegistry(),
  doctor: async (args) => (await import("./doctor/command.ts")).runDoctor(args),
};

/**
 * One piece of work of the daemon in a process of its own: `gantry internal COMMAND`, request as JSON on stdin, one line of JSON on stdout.
 * Ends with 0 whenever it has answered; killing it at any moment is how the work is cancelled.
 */
export async function runInternal(args: string[]): Promise<number> {
  const [command = "", ...rest] = args;
  const tool = Object.hasOwn(tools, command) ? tools[command] : undefined;
  if (tool) return tool(rest);
  if (!isCommand(command)) {
    console.error(`unknown internal command ${JSON.stringify(command)}`);
    return 2;
  }
  restrictSelf();
  writeLine(JSON.stringify(await answer(command, await Bun.stdin.json())));
  return 0;
}

async function answer(command: HelperCommand, request: unknown): Promise<HelperReply> {
  try {
    // The request was written by our own executable, for this command.
    const handler = handlers[command] as (request: unknown) => unknown;
    return { result: (await handler(request)) as HelperCommands[HelperCommand]["result"] };
  } catch (error) {
    return { error: replyFailure(error) };
  }
}

function isCommand(text: string): text is HelperCommand {
  return Object.hasOwn(handlers, text);
}

/** In pieces: the pipe to the daemon holds 64 KiB. */
function writeLine(line: string): void {
  const bytes = Buffer.from(`${line}\n`);
  for (let written = 0; written < bytes.length;) written += writeSync(1, bytes, written);
}
