/** What a container is told of one that it is linked to. */
export interface LinkedContainer {
  /** `/CONTAINER/ALIAS`. */
  readonly path: string;
  readonly alias: string;
  readonly address: string;
  /** `PORT/PROTOCOL`. */
  readonly exposedPorts: readonly string[];
  readonly environment: readonly string[];
}

interface Port {
  readonly number: number;
  readonly protocol: string;
}

/** Set by builds, and of no use to others. */
const privateVariables = ["HOME", "PATH"];

/** Environment variables of a link. Source: docs.docker.com, "Legacy container links", Environment variables. */
export function linkEnvironment({ path, alias, address, exposedPorts, environment }: LinkedContainer): string[] {
  const prefix = alias.toUpperCase().replaceAll("-", "_");
  const ports = exposedPorts.map(parsePort).sort(compare);
  const [first] = ports;
  const url = ({ number, protocol }: Port): string => `${protocol}://${address}:${number}`;
  return [
    ...(first ? [`${prefix}_PORT=${url(first)}`] : []),
    ...ranges(ports).flatMap(([start, end]) => {
      const name = `${prefix}_PORT_${start.number}`;
      const startName = `${name}_${start.protocol.toUpperCase()}`;
      const endName = `${name}_${end.protocol.toUpperCase()}`;
      return [
        `${startName}_START=${url(start)}`,
        `${startName}_ADDR=${address}`,
        `${startName}_PROTO=${start.protocol}`,
        `${startName}_PORT_START=${start.number}`,
        `${endName}_END=${url(end)}`,
        `${endName}_PORT_END=${end.number}`,
      ];
    }),
    ...ports.flatMap((port) => {
      const name = `${prefix}_PORT_${port.number}_${port.protocol.toUpperCase()}`;
      return [`${name}=${url(port)}`, `${name}_ADDR=${address}`, `${name}_PORT=${port.number}`, `${name}_PROTO=${port.protocol}`];
    }),
    `${prefix}_NAME=${path}`,
    ...environment
      .filter((entry) => entry.includes("=") && !privateVariables.includes(entry.slice(0, entry.indexOf("="))))
      .map((entry) => `${prefix}_ENV_${entry}`),
  ];
}

function parsePort(text: string): Port {
  const [number = "", protocol = "tcp"] = text.split("/");
  return { number: Number(number), protocol };
}

/** TCP first where the numbers are the same. */
function compare(one: Port, other: Port): number {
  return one.number - other.number || Number(other.protocol === "tcp") - Number(one.protocol === "tcp");
}

/** Three ports or more in a row, as their first and last. */
function ranges(ports: readonly Port[]): [Port, Port][] {
  const found: [Port, Port][] = [];
  for (let start = 0; start < ports.length;) {
    let end = start;
    for (let next = ports[end + 1]; next && next.number <= (ports[start]?.number ?? 0) + (end - start) + 1; next = ports[end + 1]) end++;
    const [first, last] = [ports[start], ports[end]];
    if (first && last && end > start + 1) found.push([first, last]);
    start = end > start + 1 ? end + 1 : start + 1;
  }
  return found;
}
