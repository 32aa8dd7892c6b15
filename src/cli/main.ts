import { Client } from "#client/client.ts";
import { type ConfigFile, configFolder, readConfigFile } from "#client/config-file.ts";
import { BadCertificate, ConflictingOptions, resolveEndpoint } from "#client/endpoint.ts";
import { Transport } from "#client/transport.ts";
import { messageOf } from "#lib/errors.ts";
import type { ArgumentRule, Description, Group, Leaf } from "./command.ts";
import { commonCommands, findIn, findTop, groups, otherCommands, pathsOf } from "./commands.ts";
import { ArgumentError, ExitError, UsageError } from "./errors.ts";
import { parseFlags, type ParsedFlags, type FlagSet } from "./flags.ts";
import { globalFlags } from "./global-flags.ts";
import { BrokenPipe, fileOutput, type Output } from "./output.ts";
import { usageLine } from "./usage-line.ts";

/** Where the program runs: replaced in tests. */
export interface Surroundings {
  readonly program: "gantry" | "docker";
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly err: Output;
  readonly isTerminal: (descriptor: 0 | 1 | 2) => Promise<boolean>;
  /** Width of the terminal, 80 without one. */
  readonly columns: () => Promise<number>;
}

/** The client as a program. @returns the exit code, after everything was written */
export async function main(argv: readonly string[], program: "gantry" | "docker"): Promise<number> {
  const terminal = () => import("./terminal.ts");
  const isTerminal = async (descriptor: 0 | 1 | 2) => (await terminal()).isTerminal(descriptor);
  const out = fileOutput(Bun.stdout, () => isTerminal(1));
  const err = fileOutput(Bun.stderr, () => isTerminal(2));
  const code = await runCommandLine(argv, {
    program,
    environment: process.env,
    out,
    err,
    isTerminal,
    columns: async () => (await terminal()).terminalSize(0)?.columns ?? 80,
  });
  try {
    await Promise.all([out.end(), err.end()]);
  } catch {
    // nobody reads any more
  }
  return code;
}

/** Runs one command line; everything it says goes to the outputs of `surroundings`. @returns the exit code */
export async function runCommandLine(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await dispatch(argv, surroundings);
  } catch (error) {
    if (error instanceof BrokenPipe) return 141; // as the shell reports a death by SIGPIPE
    const [code, message] = error instanceof ExitError ? [error.code, error.message] : [1, messageOf(error)];
    if (message !== "") await surroundings.err.line(message).catch(() => {});
    return code;
  }
}

type GlobalFlags = ParsedFlags<typeof globalFlags>["values"];

async function dispatch(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const { program, out, err } = surroundings;
  const parsed = usage(program, "[OPTIONS] COMMAND [ARG...]", () => parseFlags(globalFlags, argv, { stopAtFirstArgument: true }));
  const [name, ...rest] = parsed.args;
  if (name === undefined) {
    if (parsed.values.version) return printVersion(surroundings);
    await (parsed.wantsHelp ? out : err).write(await rootHelpText(surroundings));
    return 0;
  }
  if (name === "help") return showHelp(rest, surroundings);
  checkLogLevel(parsed.values.logLevel);
  const found = findTop(name);
  if (!found && rest.includes("--help")) return showHelp([], surroundings);
  if (!found)
    throw await unknownCommand(
      `${program} ${name}`,
      name,
      [...commonCommands, ...groups, ...otherCommands],
      `Run '${program} --help' for more information`,
    );
  if (parsed.wantsHelp) return showHelp(parsed.args, surroundings);
  if (!("children" in found)) return runLeaf(found, `${program} ${name}`, rest, parsed.values, surroundings);
  return runGroup(found, rest, parsed.values, surroundings);
}

function checkLogLevel(level: string): void {
  if (!/^(panic|fatal|error|warn|warning|info|debug|trace)$/i.test(level))
    throw new ExitError(1, `Unable to parse logging level: ${level}`);
}

async function runGroup(group: Group, argv: readonly string[], globals: GlobalFlags, surroundings: Surroundings): Promise<number> {
  const path = `${surroundings.program} ${group.name}`;
  const parsed = usage(path, "", () => parseFlags({}, argv, { stopAtFirstArgument: true }));
  const [name, ...rest] = parsed.args;
  if (name === undefined || parsed.wantsHelp) {
    const { groupHelp } = await import("./help.ts");
    await (parsed.wantsHelp ? surroundings.out : surroundings.err).write(groupHelp(path, group));
    return 0;
  }
  const found = findIn(group, name);
  if (!found && rest.includes("--help")) return showHelp([group.name], surroundings);
  if (!found)
    throw await unknownCommand(`${path} ${name}`, name, group.children, `Usage:  ${path}\n\nRun '${path} --help' for more information`);
  return runLeaf(found, `${path} ${name}`, rest, globals, surroundings);
}

async function runLeaf(
  leaf: Leaf,
  path: string,
  argv: readonly string[],
  globals: GlobalFlags,
  surroundings: Surroundings,
): Promise<number> {
  const connecting = connectionOf(globals, surroundings, leaf.kind === "external" || leaf.isLocal === true);
  connecting.catch(() => undefined); // awaited when the command line has turned out well
  const description = await leaf.load();
  const parsed = usage(path, description.usage, () =>
    parseFlags(description.flags, argv, { stopAtFirstArgument: description.stopAtFirstArgument ?? false }),
  );
  if (parsed.wantsHelp) {
    await surroundings.out.write(await commandHelpText(leaf, path, description, surroundings));
    return 0;
  }
  checkArguments(path, description, parsed.args.length);
  // src/main.ts has answered it, unless something stands before its name.
  if (leaf.kind === "external") throw new ArgumentError(`${surroundings.program}: '${path}' takes no options before its name`);
  for (const notice of parsed.notices) await surroundings.out.line(notice);
  const command = await leaf.load(); // the same module again, now known to be a command
  const { config, transport } = await connecting;
  try {
    return (await command.run(invocation(path, parsed, config, new Client(transport), surroundings))) ?? 0;
  } finally {
    transport.close();
  }
}

function invocation(
  path: string,
  parsed: ParsedFlags<FlagSet>,
  config: () => Promise<ConfigFile>,
  client: Client,
  surroundings: Surroundings,
) {
  const { program, environment, out, err, isTerminal } = surroundings;
  const { args, values, changed } = parsed;
  return { commandPath: path, program, args, flags: values, changed, client, config, environment, out, err, isTerminal };
}

/** A transport that begins to connect, and the configuration, read once when somebody asks. */
async function connectionOf(globals: GlobalFlags, surroundings: Surroundings, isLocal: boolean) {
  const { environment, program, err } = surroundings;
  let reading: Promise<ConfigFile> | undefined;
  const config = (): Promise<ConfigFile> => (reading ??= configOrDefaults(configFolder(globals.config, environment), err));
  const options = {
    hosts: isLocal ? [] : globals.host,
    context: globals.context || undefined,
    tls: globals.tls,
    tlsVerify: globals.tlsverify,
    tlsCaCert: globals.tlscacert || undefined,
    tlsCert: globals.tlscert || undefined,
    tlsKey: globals.tlskey || undefined,
    environment: isLocal ? { DOCKER_HOST: "unix:///dev/null" } : environment,
    program,
  };
  const endpoint = await resolveEndpoint(options, config).catch((error: unknown) => {
    if (error instanceof ConflictingOptions) throw new ExitError(1, error.message);
    throw new ExitError(
      1,
      `Failed to initialize: ${error instanceof BadCertificate ? "" : "unable to resolve docker endpoint: "}${messageOf(error)}`,
    );
  });
  const apiVersion = environment["DOCKER_API_VERSION"]?.replace(/^v/, "");
  const transport = new Transport(endpoint, { apiVersion });
  if (!isLocal) {
    transport.connectAhead().catch(() => undefined);
    transport.addHeaders(await headersOf(await config()));
  }
  return { config, transport };
}

async function headersOf({ httpHeaders }: ConfigFile): Promise<Record<string, string>> {
  if (Object.keys(httpHeaders).length === 0) return {}; // most have none: no module is loaded for them
  return (await import("./custom-headers.ts")).customHeaders(httpHeaders);
}

/** A file that cannot be read as JSON is told on stderr; Docker's client goes on without it, too. */
async function configOrDefaults(folder: string, err: Output): Promise<ConfigFile> {
  try {
    return await readConfigFile(folder);
  } catch (error) {
    await err.line(messageOf(error));
    return { folder, httpHeaders: {}, auths: {}, credHelpers: {}, proxies: {}, formats: {}, pruneFilters: [] };
  }
}

/** Turns a bad command line into Docker's message with the usage line, and exit code 125. */
function usage<T>(path: string, usageText: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const line = usageLine(path, usageText);
    throw new ExitError(125, `${error.message}\n\nUsage:  ${line}\n\nRun '${path} --help' for more information`);
  }
}

function checkArguments(path: string, command: Description, count: number): void {
  const { minimum, maximum } = command.args;
  if (count >= minimum && count <= maximum) return;
  const program = path.split(" ", 1)[0] ?? "";
  const line = usageLine(path, command.usage);
  const hint = maximum === Infinity ? "See" : "Run";
  throw new ArgumentError(
    `${program}: '${path}' ${requirement(command.args)}\n\nUsage:  ${line}\n\n${hint} '${path} --help' for more information`,
  );
}

function requirement({ minimum, maximum }: ArgumentRule): string {
  const counted = (count: number): string => `${count} ${count === 1 ? "argument" : "arguments"}`;
  if (maximum === 0) return "accepts no arguments";
  if (minimum === maximum) return `requires ${counted(minimum)}`;
  if (maximum === Infinity) return `requires at least ${counted(minimum)}`;
  if (minimum === 0) return `requires at most ${counted(maximum)}`;
  return `requires at least ${minimum} and at most ${counted(maximum)}`;
}

async function unknownCommand(path: string, word: string, known: readonly (Leaf | Group)[], hint: string): Promise<ArgumentError> {
  const { suggestions } = await import("./suggest.ts");
  const names = known
    .filter((one) => !("isHidden" in one && one.isHidden))
    .flatMap((one) => ("otherNames" in one ? [one.name, ...one.otherNames] : [one.name]));
  const similar = suggestions(word, names);
  const meant = similar.length > 0 ? `\n\nDid you mean this?\n${similar.map((name) => `  ${name}`).join("\n")}` : "";
  return new ArgumentError(`${path.split(" ", 1)[0] ?? ""}: unknown command: ${path}${meant}\n\n${hint}`);
}

async function showHelp(words: readonly string[], surroundings: Surroundings): Promise<number> {
  const { program, out } = surroundings;
  const [name, second] = words;
  if (name === undefined) {
    await out.write(await rootHelpText(surroundings));
    return 0;
  }
  const found = findTop(name);
  const child = found && "children" in found && second !== undefined ? findIn(found, second) : undefined;
  if (!found) throw new ExitError(1, `unknown help topic: ${words.join(" ")}`);
  const { groupHelp } = await import("./help.ts");
  if ("children" in found && !child) await out.write(groupHelp(`${program} ${name}`, found));
  else {
    const leaf = child ?? (found as Leaf); // no children and no child: it is a leaf itself
    const path = child ? `${program} ${name} ${second ?? ""}` : `${program} ${name}`;
    await out.write(await commandHelpText(leaf, path, await leaf.load(), surroundings));
  }
  return 0;
}

async function commandHelpText(leaf: Leaf, path: string, command: Description, surroundings: Surroundings): Promise<string> {
  const { commandHelp } = await import("./help.ts");
  const paths = pathsOf(leaf).map((one) => `${surroundings.program} ${one}`);
  return commandHelp({ path, summary: leaf.summary, paths, columns: (await surroundings.columns()) - 1 }, command);
}

async function rootHelpText(surroundings: Surroundings): Promise<string> {
  const { rootHelp } = await import("./help.ts");
  const sections = { common: commonCommands, groups, others: otherCommands };
  return rootHelp(surroundings.program, sections, globalFlags, (await surroundings.columns()) - 1);
}

async function printVersion(surroundings: Surroundings): Promise<number> {
  const { buildCommit, version } = await import("#lib/version.ts");
  await surroundings.out.line(`${surroundings.program === "docker" ? "Docker" : "Gantry"} version ${version}, build ${buildCommit}`);
  return 0;
}
