import { EngineError } from "#lib/errors.ts";

/** `80`, `80/udp`, `8000-8010`, `HOST:PORT` → the ports of a container as configs name them. @throws {EngineError} `invalid` with Docker's texts */
export function exposedPorts(text: string): string[] {
  const [ports = "", protocol = "tcp"] = text.split("/");
  const containerPorts = ports.slice(ports.lastIndexOf(":") + 1);
  if (containerPorts === "") throw new EngineError("invalid", `No port specified: ${text}<empty>`);
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(containerPorts);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first > 65535 || last > 65535 || first > last) throw new EngineError("invalid", `Invalid containerPort: ${containerPorts}`);
  const kind = protocol.toLowerCase();
  if (!["tcp", "udp", "sctp"].includes(kind)) throw new EngineError("invalid", `Invalid proto: ${protocol}`);
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${kind}`);
}
