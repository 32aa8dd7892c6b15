import { lackOf } from "./host-has.ts";

// Where no bridge can be made, a container for which a test names no network has none: most tests are about other things. Those that are about
// networks say `needs("nftables")`.

/** Words of a command of Docker's client. */
export function wordsWithNetwork(words: readonly string[]): readonly string[] {
  const command = words[0] === "container" ? 1 : 0;
  const makes = words[command] === "run" || words[command] === "create";
  const names = words.some((word) => /^--net(work)?(=|$)/.test(word));
  if (!makes || names || lackOf("nftables") === undefined) return words;
  return words.toSpliced(command + 1, 0, "--network", "none");
}

/** The body of a call to the API. */
export function bodyWithNetwork(method: string, path: string, body: unknown): unknown {
  if (method !== "POST" || !/\/containers\/create(\?|$)/.test(path) || lackOf("nftables") === undefined) return body;
  const request = new Map<string, unknown>(Object.entries(body ?? {}));
  const hostConfig = { NetworkMode: "none", ...Object(request.get("HostConfig")) } as unknown;
  return { ...Object.fromEntries(request), HostConfig: hostConfig };
}
