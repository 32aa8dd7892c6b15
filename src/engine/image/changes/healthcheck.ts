import { parseDuration } from "#lib/duration.ts";
import { EngineError } from "#lib/errors.ts";
import type { ContainerConfig } from "#types/engine-api/index.ts";
import { parseTextList } from "./lines.ts";

type Healthcheck = NonNullable<ContainerConfig["Healthcheck"]>;

const durations = {
  interval: "Interval",
  timeout: "Timeout",
  "start-period": "StartPeriod",
  "start-interval": "StartInterval",
} as const;
const minimumNanoseconds = 1_000_000n;

/** `[--interval=5s …] CMD …` or `NONE`. @throws {EngineError} `invalid` with Docker's texts */
export function parseHealthcheck(text: string): Healthcheck {
  const { options, rest } = takeOptions(text);
  if (rest === "") throw invalid("HEALTHCHECK requires at least one argument");
  const [word = ""] = /^\S+/.exec(rest) ?? [];
  const command = rest.slice(word.length).trim();
  if (word.toUpperCase() === "NONE") {
    if (command !== "") throw invalid("HEALTHCHECK NONE takes no arguments");
    return { Test: ["NONE"] };
  }
  if (word.toUpperCase() !== "CMD") throw invalid(`Unknown type ${JSON.stringify(word.toUpperCase())} in HEALTHCHECK (try CMD)`);
  if (command === "") throw invalid("Missing command after HEALTHCHECK CMD");
  const list = parseTextList(command);
  return { Test: list ? ["CMD", ...list] : ["CMD-SHELL", command], ...options };
}

function takeOptions(text: string): { readonly options: Healthcheck; readonly rest: string } {
  let options: Healthcheck = {};
  let rest = text;
  for (let match = /^--([a-z-]+)(?:=(\S*))?(?:\s+|$)/.exec(rest); match; match = /^--([a-z-]+)(?:=(\S*))?(?:\s+|$)/.exec(rest)) {
    const [whole, name = "", value] = match;
    options = { ...options, ...parseOption(name, value) };
    rest = rest.slice(whole.length);
  }
  return { options, rest };
}

function parseOption(name: string, value: string | undefined): Healthcheck {
  if (value === undefined) throw invalid(`Missing a value on flag: ${name}`);
  if (name === "retries") return { Retries: parseRetries(value) };
  if (!isDurationName(name)) throw invalid(`Unknown flag: ${name}`);
  if (value === "") return {};
  const nanoseconds = parseDuration(value);
  if (nanoseconds === undefined) throw invalid(`time: invalid duration ${JSON.stringify(value)}`);
  if (nanoseconds !== 0n && nanoseconds < minimumNanoseconds) throw invalid(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  return { [durations[name]]: Number(nanoseconds) };
}

function isDurationName(name: string): name is keyof typeof durations {
  return Object.hasOwn(durations, name);
}

function parseRetries(value: string): number {
  if (!/^[+-]?\d+$/.test(value)) throw invalid(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  const retries = Number(value);
  if (retries < 0) throw invalid(`--retries cannot be negative (${retries})`);
  return retries;
}

function invalid(message: string): EngineError {
  return new EngineError("invalid", message);
}
