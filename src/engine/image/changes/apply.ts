import { posix } from "node:path";
import { EngineError } from "#lib/errors.ts";
import type { ContainerConfig } from "#types/engine-api/index.ts";
import { parseSignal } from "../../container/signals.ts";
import { exposedPorts } from "./exposed-ports.ts";
import { parseHealthcheck } from "./healthcheck.ts";
import { parseChangeLines, parseTextList, type ChangeLine } from "./lines.ts";
import { expandWord, splitQuoted } from "./words.ts";

interface ChangedConfig {
  readonly config: ContainerConfig;
  /** A later ENTRYPOINT keeps it. */
  readonly hasOwnCommand: boolean;
}

type ApplyChange = (changed: ChangedConfig, rest: string) => ChangedConfig;

/**
 * The config with the changes that `commit` and `import` take: instructions of a Dockerfile that only concern the config.
 * @throws {EngineError} `invalid` with Docker's texts
 */
export function applyChanges(config: ContainerConfig, changes: readonly string[]): ContainerConfig {
  const lines = parseChangeLines(changes);
  for (const { name } of lines) if (!instructions.has(name)) throw invalid(`${name} is not a valid change command`);
  return lines.reduce<ChangedConfig>(applyChange, { config, hasOwnCommand: false }).config;
}

function applyChange(changed: ChangedConfig, { name, rest }: ChangeLine): ChangedConfig {
  return instructions.get(name)?.(changed, rest) ?? changed;
}

/** An instruction that changes single fields. */
function fields(change: (config: ContainerConfig, rest: string) => ContainerConfig): ApplyChange {
  return (changed, rest) => ({ ...changed, config: { ...changed.config, ...change(changed.config, rest) } });
}

const instructions: ReadonlyMap<string, ApplyChange> = new Map<string, ApplyChange>([
  ["CMD", ({ config }, rest) => ({ config: { ...config, Cmd: commandOf(config, rest) }, hasOwnCommand: true })],
  [
    "ENTRYPOINT",
    ({ config, hasOwnCommand }, rest) => ({
      config: { ...config, Entrypoint: commandOf(config, rest), ...(!hasOwnCommand && { Cmd: null }) },
      hasOwnCommand,
    }),
  ],
  ["ENV", fields((config, rest) => ({ Env: withVariables(config.Env ?? [], pairsOf("ENV", config, rest)) }))],
  ["EXPOSE", fields((config, rest) => ({ ExposedPorts: { ...config.ExposedPorts, ...exposedBy(config, rest) } }))],
  ["HEALTHCHECK", fields((_config, rest) => ({ Healthcheck: parseHealthcheck(rest) }))],
  ["LABEL", fields((config, rest) => ({ Labels: { ...config.Labels, ...Object.fromEntries(pairsOf("LABEL", config, rest)) } }))],
  ["ONBUILD", fields((config, rest) => ({ OnBuild: [...(config.OnBuild ?? []), trigger(rest)] }))],
  ["STOPSIGNAL", fields((config, rest) => ({ StopSignal: signalOf(one("STOPSIGNAL", config, rest)) }))],
  ["USER", fields((config, rest) => ({ User: one("USER", config, rest) }))],
  ["VOLUME", fields((config, rest) => ({ Volumes: { ...config.Volumes, ...volumesOf(config, rest) } }))],
  ["WORKDIR", fields((config, rest) => ({ WorkingDir: workingDirectory(config, one("WORKDIR", config, rest)) }))],
]);

function commandOf(config: ContainerConfig, rest: string): string[] | null {
  if (rest === "") return null;
  return parseTextList(rest) ?? [...(config.Shell ?? ["/bin/sh", "-c"]), rest];
}

/** `name=value …`, or the older `name value` with one of them. */
function pairsOf(instruction: string, config: ContainerConfig, rest: string): [string, string][] {
  const environment = config.Env ?? [];
  const words = splitQuoted(rest);
  const [first] = words;
  if (first === undefined) throw invalid(`${instruction} requires at least one argument`);
  if (!first.includes("=")) {
    if (words.length < 2) throw invalid(`${instruction} must have two arguments`);
    return [[expandWord(first, environment), expandWord(rest.slice(first.length).trim(), environment)]];
  }
  return words.map((word) => {
    const position = word.indexOf("=");
    if (position < 0) throw invalid(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    const name = expandWord(word.slice(0, position), environment);
    if (name === "") throw invalid(`${instruction} names can not be blank`);
    return [name, expandWord(word.slice(position + 1), environment)];
  });
}

function withVariables(environment: readonly string[], pairs: readonly (readonly [string, string])[]): string[] {
  const result = [...environment];
  for (const [name, value] of pairs) {
    const position = result.findIndex((entry) => entry.startsWith(`${name}=`));
    if (position < 0) result.push(`${name}=${value}`);
    else result[position] = `${name}=${value}`;
  }
  return result;
}

function exposedBy(config: ContainerConfig, rest: string): Record<string, Record<string, never>> {
  if (rest === "") throw invalid("EXPOSE requires at least one argument");
  const words = splitQuoted(rest).map((word) => expandWord(word, config.Env ?? []));
  return Object.fromEntries(words.flatMap(exposedPorts).map((port) => [port, {}]));
}

function volumesOf(config: ContainerConfig, rest: string): Record<string, Record<string, never>> {
  const words = parseTextList(rest) ?? splitQuoted(rest);
  if (words.length === 0) throw invalid("VOLUME requires at least one argument");
  const paths = words.map((word) => expandWord(word, config.Env ?? []).trim());
  if (paths.includes("")) throw invalid("VOLUME specified can not be an empty string");
  return Object.fromEntries(paths.map((path) => [path, {}]));
}

/** The rest of the line is one argument. */
function one(instruction: string, config: ContainerConfig, rest: string): string {
  if (rest === "") throw invalid(`${instruction} requires exactly one argument`);
  return expandWord(rest, config.Env ?? []);
}

function signalOf(text: string): string {
  parseSignal(text);
  return text;
}

function workingDirectory({ WorkingDir: current }: ContainerConfig, path: string): string {
  return posix.resolve("/", current ?? "", path);
}

function trigger(rest: string): string {
  const [word = ""] = /^\S+/.exec(rest) ?? [];
  const name = word.toUpperCase();
  if (name === "") throw invalid("ONBUILD requires at least one argument");
  if (name === "ONBUILD") throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (name === "MAINTAINER" || name === "FROM") throw invalid(`${name} isn't allowed as an ONBUILD trigger`);
  return rest;
}

function invalid(message: string): EngineError {
  return new EngineError("invalid", message);
}
