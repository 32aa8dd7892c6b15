export interface PortBinding {
  readonly HostIp: string;
  readonly HostPort: string;
}

export interface Ports {
  readonly exposed: Readonly<Record<string, object>>;
  readonly bindings: Readonly<Record<string, readonly PortBinding[]>>;
}

/**
 * Reads the values of `--publish` and `--expose`: `[[IP:][HOST]:]CONTAINER[/PROTO]` with ranges, or `published=…,target=…,protocol=…`.
 * @throws {Error} with Docker's words
 */
export function parsePorts(publish: readonly string[], expose: readonly string[]): Ports {
  const exposed: Record<string, object> = {};
  const bindings: Record<string, PortBinding[]> = {};
  for (const value of publish) {
    for (const { port, binding } of parsePublish(toShortNotation(value))) {
      exposed[port] = {};
      (bindings[port] ??= []).push(binding);
    }
  }
  for (const value of expose) for (const port of parseExpose(value)) exposed[port] = {};
  return { exposed, bindings };
}

function toShortNotation(value: string): string {
  if (!value.includes("=")) return value;
  const fields: Record<string, string> = { protocol: "tcp" };
  for (const field of value.split(",")) {
    const [key = "", entry] = field.split("=");
    if (entry === undefined) throw new Error(`invalid publish opts format (should be name=value but got '${field}')`);
    fields[key] = entry;
  }
  return `${fields["published"] ?? ""}:${fields["target"] ?? ""}/${fields["protocol"] ?? ""}`;
}

function parsePublish(value: string): readonly { readonly port: string; readonly binding: PortBinding }[] {
  const { address, hostPort, containerPort, protocol } = splitPublish(value);
  if (containerPort === "") throw new Error(`no port specified: ${value}<empty>`);
  const container = parseRange(containerPort);
  if (!container) throw new Error(`invalid containerPort: ${containerPort}`);
  const host = hostPort === "" ? undefined : parseRange(hostPort);
  if (hostPort !== "" && !host) throw new Error(`invalid hostPort: ${hostPort}`);
  const count = container.end - container.start;
  // A single port of the container may take any port of a range of the host's.
  if (host && count !== host.end - host.start && count !== 0)
    throw new Error(`invalid ranges specified for container and host Ports: ${containerPort} and ${hostPort}`);
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase())) throw new Error(`invalid proto: ${protocol}`);
  return Array.from({ length: count + 1 }, (_, index) => {
    const first = host ? String(host.start + index) : "";
    const HostPort = host && count === 0 && host.start !== host.end ? `${first}-${host.end}` : first;
    return { port: `${container.start + index}/${protocol.toLowerCase()}`, binding: { HostIp: address, HostPort } };
  });
}

function splitPublish(value: string): { address: string; hostPort: string; containerPort: string; protocol: string } {
  const slash = value.indexOf("/");
  const protocol = slash < 0 ? "tcp" : value.slice(slash + 1) || "tcp";
  const parts = (slash < 0 ? value : value.slice(0, slash)).split(":");
  const containerPort = parts.at(-1) ?? "";
  const hostPort = parts.length > 1 ? (parts.at(-2) ?? "") : "";
  const written = parts.slice(0, -2).join(":");
  const address = written.replace(/^\[(.*)\]$/, "$1");
  if (address !== "" && !isAddress(address)) throw new Error(`invalid IP address: ${written}`);
  return { address, hostPort, containerPort, protocol };
}

function parseExpose(value: string): readonly string[] {
  if (value.includes(":")) throw new Error(`invalid port format for --expose: ${value}`);
  const [ports = "", protocol = "tcp"] = value.split("/");
  const range = parseRange(ports);
  if (!range)
    throw new Error(
      `invalid range format for --expose: ${value}, error: strconv.ParseUint: parsing ${JSON.stringify(ports)}: invalid syntax`,
    );
  return Array.from({ length: range.end - range.start + 1 }, (_, index) => `${range.start + index}/${protocol || "tcp"}`);
}

function parseRange(text: string): { readonly start: number; readonly end: number } | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (!match) return undefined;
  const start = Number(match[1]);
  const end = Number(match[2] ?? match[1]);
  return start <= end && end <= 65535 ? { start, end } : undefined;
}

/** True for a literal IPv4 or IPv6 address. */
export function isAddress(text: string): boolean {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return text.split(".").every((part) => Number(part) <= 255);
  return text.includes(":") && /^[0-9a-fA-F:.]+$/.test(text) && URL.canParse(`http://[${text}]/`);
}
