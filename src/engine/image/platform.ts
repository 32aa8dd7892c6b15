import { EngineError } from "#lib/errors.ts";

export interface WantedPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const architectures: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  armhf: "arm",
  armel: "arm",
  i386: "386",
};
const knownArchitectures = new Set("386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm".split(" "));
const knownSystems = new Set("linux windows darwin freebsd wasi".split(" "));

/** What this machine runs, in the terms of images. */
export const hostPlatform: WantedPlatform = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };

/** `linux/arm64/v8`, `linux`, or `arm64` alone. @throws {EngineError} `invalid` with Docker's texts */
export function parsePlatform(text: string): WantedPlatform {
  const parts = text.toLowerCase().split("/");
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9_.-]+$/.test(part))) {
    throw new EngineError(
      "invalid",
      `${JSON.stringify(text)} is an invalid component of ${JSON.stringify(text)}: platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument`,
    );
  }
  if (parts.length === 1) {
    const [word = ""] = parts;
    if (knownSystems.has(word)) return { ...hostPlatform, os: word };
    const architecture = architectures[word] ?? word;
    if (knownArchitectures.has(architecture)) return { os: "linux", architecture };
    throw new EngineError("invalid", `${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`);
  }
  const [os = "", named = "", variant] = parts;
  return { os, architecture: architectures[named] ?? named, ...(variant !== undefined && { variant }) };
}

/** True when an image runs where `wanted` is asked for; a variant counts only when it is named. */
export function matchesPlatform(
  wanted: WantedPlatform,
  image: { readonly os: string; readonly architecture: string; readonly variant?: string | undefined },
): boolean {
  if (wanted.os !== image.os || wanted.architecture !== image.architecture) return false;
  const implied = wanted.architecture === "arm64" ? "v8" : undefined;
  return wanted.variant === undefined || wanted.variant === (image.variant ?? implied);
}

/** The `platform` of a load or a save: a JSON object, or as {@link parsePlatform} takes it. @throws {EngineError} `invalid` */
export function parsePlatformParameter(text: string): WantedPlatform {
  if (!text.startsWith("{")) return parsePlatform(text);
  let value: { os?: unknown; architecture?: unknown; variant?: unknown };
  try {
    value = JSON.parse(text) as typeof value;
  } catch (error) {
    throw new EngineError("invalid", "failed to parse platform: invalid JSON", { cause: error });
  }
  const { os, architecture, variant } = value;
  if (typeof os !== "string" || typeof architecture !== "string" || os === "" || architecture === "")
    throw new EngineError("invalid", "failed to parse platform: both os and architecture must be provided");
  return { os, architecture, ...(typeof variant === "string" && variant !== "" && { variant }) };
}
