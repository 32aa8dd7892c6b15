import { DaemonError } from "#client/errors.ts";
import { messageOf } from "#lib/errors.ts";
import type { Invocation } from "../command.ts";
import { platformParts } from "../image/platform.ts";
import { checkReference, familiarName } from "../image/reference.ts";
import { type CreateBody, createBody, type CreateInput } from "./options/request.ts";

type Create = Omit<Invocation, "flags"> & { readonly flags: CreateInput["flags"] & { readonly pull: string } };

/** The request that the command line asks for. @throws {Error} */
export async function bodyOf(invocation: Create): Promise<CreateBody> {
  const { flags, changed, args, environment, client } = invocation;
  if (!["always", "missing", "never", ""].includes(flags.pull))
    throw new Error(`invalid pull option: '${flags.pull}': must be one of "always", "missing" or "never"`);
  if (flags.platform !== "") checkPlatform(flags.platform);
  const { proxies } = await invocation.config();
  const body = await createBody({
    flags,
    changed,
    args,
    environment,
    directory: process.cwd(),
    proxies,
    daemonUrl: client.http.address.url,
  });
  if (flags.tty) {
    const size = (await import("../terminal.ts")).terminalSize(1);
    if (size) body.HostConfig.ConsoleSize = [size.rows, size.columns];
  }
  return body;
}

function checkPlatform(text: string): void {
  try {
    platformParts(text);
  } catch (error) {
    throw new Error(`error parsing specified platform: ${messageOf(error)}`, { cause: error });
  }
}

/** Creates the container, pulling its image when the daemon does not have it. Warnings go to stderr. @returns its id */
export async function createContainer(invocation: Create, body: CreateBody): Promise<string> {
  const { flags } = invocation;
  checkReference(body.Image);
  if (flags.cidfile === "") return createNamed(invocation, body);
  await reserveIdFile(flags.cidfile);
  try {
    const id = await createNamed(invocation, body);
    await Bun.write(flags.cidfile, id);
    return id;
  } catch (error) {
    await Bun.file(flags.cidfile).delete();
    throw error;
  }
}

/** Before the container is made: one whose ID cannot be kept is not wanted. */
async function reserveIdFile(path: string): Promise<void> {
  if (await Bun.file(path).exists())
    throw new Error(`container ID file found, make sure the other container isn't running or delete ${path}`);
  try {
    await Bun.write(path, "", { createPath: false });
  } catch (error) {
    throw new Error(`failed to create the container ID file: open ${path}: no such file or directory`, { cause: error });
  }
}

async function createNamed(invocation: Create, body: CreateBody): Promise<string> {
  const { flags, client, err } = invocation;
  const pull = async (): Promise<void> => {
    const { pullImage } = await import("../image/pull-image.ts");
    await pullImage({ ...invocation, reference: body.Image, platform: flags.platform, isQuiet: flags.quiet, to: err });
  };
  const options = { name: flags.name, platform: flags.platform };
  if (flags.pull === "always") await pull();
  let answer;
  try {
    answer = await client.containers.create(body, options);
  } catch (error) {
    const isMissing = error instanceof DaemonError && error.kind === "not_found";
    const name = isMissing && flags.pull !== "never" ? familiarName(body.Image) : undefined;
    if (name === undefined) throw error;
    if (!flags.quiet) await err.line(`Unable to find image '${name}' locally`);
    await pull();
    answer = await client.containers.create(body, options);
  }
  for (const warning of answer.Warnings ?? []) await err.line(`WARNING: ${warning}`);
  return answer.Id;
}
