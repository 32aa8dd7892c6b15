import { formatApiVersion, newestApiVersion } from "./version.ts";

/** Headers of every answer, as dockerd sends them. */
export function commonHeaders(productVersion: string, experimental = false): Readonly<Record<string, string>> {
  return {
    "Api-Version": formatApiVersion(newestApiVersion),
    "Docker-Experimental": String(experimental),
    Ostype: "linux",
    Server: `Gantry/${productVersion} (linux)`,
  };
}
