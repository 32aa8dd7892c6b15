/** How config.json names Docker Hub. */
export const hubServer = "https://index.docker.io/v1/";

/**
 * The name under which credentials of a registry are kept: host and port, with a path where one was given, so that one host may have several
 * log-ins.
 */
export function serverKey(server: string): string {
  if (server === "" || server === "docker.io" || server === "index.docker.io" || server === hubServer) return hubServer;
  const [host = "", ...path] = server.replace(/^https?:\/\//, "").split("/");
  const own = path.filter((part) => part !== "");
  // The API's own path says nothing: clients of long ago kept it.
  return own.length === 0 || (own.length === 1 && /^v[12]$/.test(own[0] ?? "")) ? host : [host, ...own].join("/");
}

/** Host and port alone. */
export function hostOf(key: string): string {
  return key === hubServer ? key : (key.split("/", 1)[0] ?? key);
}

/**
 * Where credentials for an image may be kept, best first: `host/team/app`, `host/team`, `host`.
 * @param name  of the repository, without tag, as people write it
 */
export function keysFor(name: string): string[] {
  const [first = "", ...rest] = name.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  if (!isHost || first === "docker.io" || first === "index.docker.io") {
    const path = isHost ? rest : [first, ...rest];
    return [...prefixes("docker.io", path), hubServer];
  }
  return [...prefixes(first, rest), first];
}

function prefixes(host: string, path: readonly string[]): string[] {
  return path.map((_part, index) => [host, ...path.slice(0, path.length - index)].join("/"));
}
