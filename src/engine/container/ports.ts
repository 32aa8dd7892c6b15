import { isIP } from "node:net";
import { EngineError } from "#lib/errors.ts";
import type { ContainerConfig, HostConfig } from "#types/engine-api/index.ts";
import type { PortRequest, Protocol } from "#types/record/network.ts";

/** A port as the API names it: `80`, `80/tcp`, in ExposedPorts also a range `80-90/udp`. */
interface NamedPorts {
  readonly protocol: Protocol;
  readonly first: number;
  readonly last: number;
}

/** @throws {EngineError} `invalid` with Docker's texts */
export function parsePorts(text: string): NamedPorts {
  const [range = "", protocol = "tcp"] = text.split("/");
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!match || first > 65535 || last > 65535 || first > last)
    throw new EngineError("invalid", `invalid port specification: ${JSON.stringify(text)}`);
  const lower = protocol.toLowerCase();
  if (lower !== "tcp" && lower !== "udp" && lower !== "sctp")
    throw new EngineError("invalid", `invalid port specification: ${JSON.stringify(text)}`);
  return { protocol: lower, first, last };
}

/** All ports to publish: the bindings of exposed ones, and with PublishAllPorts those that have none. */
export function portRequests(config: ContainerConfig, host: HostConfig): PortRequest[] {
  const bindings = host.PortBindings ?? {};
  const bound = Object.entries(bindings).flatMap(([name, list]) => {
    const { protocol, first, last } = parsePorts(name);
    if (first !== last) throw new EngineError("invalid", `invalid port specification: ${JSON.stringify(name)}`);
    return (list ?? []).map((binding) => ({ protocol, containerPort: first, ...parseBinding(binding) }));
  });
  const exposed = exposedPorts(config);
  // A binding alone publishes nothing, as in Docker: its client exposes what it binds.
  const published = bound.filter((port) => exposed.some((other) => isSamePort(port, other)));
  if (!host.PublishAllPorts) return published;
  const others = exposed.filter((port) => !published.some((other) => isSamePort(port, other)));
  return [...published, ...others.map((port) => ({ ...port, hostIp: "", hostPortFirst: 0, hostPortLast: 0 }))];
}

type ExposedPort = Pick<PortRequest, "protocol" | "containerPort">;

function isSamePort(a: ExposedPort, b: ExposedPort): boolean {
  return a.protocol === b.protocol && a.containerPort === b.containerPort;
}

/** Every single exposed port. */
export function exposedPorts(config: ContainerConfig): ExposedPort[] {
  return Object.keys(config.ExposedPorts ?? {}).flatMap((name) => {
    const { protocol, first, last } = parsePorts(name);
    return Array.from({ length: last - first + 1 }, (_, index) => ({ protocol, containerPort: first + index }));
  });
}

/** A bad host address must never mean "all addresses" (E3). */
function parseBinding(binding: { readonly HostIp?: string; readonly HostPort?: string }): Omit<PortRequest, "protocol" | "containerPort"> {
  const hostIp = (binding.HostIp ?? "").replace(/^\[(.*)\]$/, "$1");
  // A zone, as in fe80::1%eth0, names a link: no socket is bound by it here.
  if (hostIp !== "" && (isIP(hostIp) === 0 || hostIp.includes("%")))
    throw new EngineError("invalid", `invalid IP address: ${binding.HostIp}`);
  const text = binding.HostPort ?? "";
  if (text === "") return { hostIp, hostPortFirst: 0, hostPortLast: 0 };
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  const hostPortFirst = Number(match?.[1]);
  const hostPortLast = Number(match?.[2] ?? match?.[1]);
  if (!match || hostPortFirst > 65535 || hostPortLast > 65535 || hostPortFirst > hostPortLast) {
    throw new EngineError("invalid", `invalid port specification: ${JSON.stringify(text)}`);
  }
  return { hostIp, hostPortFirst, hostPortLast };
}
