import { formatApiVersion, newestApiVersion } from "./version.ts";

/** Headers of every answer, as dockerd sends them. */
export function commonHeaders(productVersion: string): Readonly<Record<string, string>> {
  return {
    "Api-Version": formatApiVersion(newestApiVersion),
    "Docker-Experimental": "false",
    Ostype: "linux",
    Server: `Gantry/${productVersion} (linux)`,
  };
}
