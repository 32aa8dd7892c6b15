import type { WantedPlatform } from "#engine/image/platform.ts";
import { EngineError } from "#lib/errors.ts";
import { unmarshalJson } from "../decode/decode.ts";

/** A platform as a parameter holds it: JSON. @throws {EngineError} `invalid` with Docker's texts */
export function platformOf(text: string): WantedPlatform {
  const { os = "", architecture = "", variant = "" } = unmarshalJson("Platform", text, "failed to parse platform: ");
  if (os === "" || architecture === "") throw new EngineError("invalid", "both OS and Architecture must be provided");
  return { os, architecture, ...(variant !== "" && { variant }) };
}

/** The platform of a query, where there is one. @throws {EngineError} `invalid` */
export function queryPlatform(query: URLSearchParams): WantedPlatform | undefined {
  const text = query.get("platform") ?? "";
  return text === "" ? undefined : platformOf(text);
}

/** The one platform of a removal. @throws {EngineError} `invalid`, as dockerd that keeps one image for a name */
export function removedPlatform(query: URLSearchParams): WantedPlatform | undefined {
  const [platform, ...others] = query.getAll("platforms").map(platformOf);
  if (others.length > 0) throw new EngineError("invalid", "multiple platforms are not supported");
  return platform;
}
