import type { ContainerSummary, PortSummary } from "#client/shapes.ts";
import { ellipsis } from "../format/rows.ts";
import { quote, Row } from "../format/values.ts";
import { goTime } from "../time.ts";
import { humanDuration, humanSize } from "../units.ts";

export const containerHeaders = {
  ID: "CONTAINER ID",
  Names: "NAMES",
  Image: "IMAGE",
  Command: "COMMAND",
  CreatedAt: "CREATED AT",
  RunningFor: "CREATED",
  Ports: "PORTS",
  State: "STATE",
  Status: "STATUS",
  Size: "SIZE",
  Labels: "LABELS",
  Mounts: "MOUNTS",
  LocalVolumes: "LOCAL VOLUMES",
  Networks: "NETWORKS",
  Platform: "PLATFORM",
} as const;

/** A container as a row of `ps`. @param now  milliseconds since 1970 */
export function containerRow(container: ContainerSummary, options: { readonly truncates: boolean; readonly now: number }): Row {
  const { truncates } = options;
  const created = (container.Created ?? 0) * 1000;
  const labels = container.Labels ?? {};
  return new Row(
    "*formatter.ContainerContext",
    {
      ID: () => (truncates ? container.Id.slice(0, 12) : container.Id),
      Names: () => names(container, truncates),
      Image: () => image(container, truncates),
      Command: () => quote(truncates ? ellipsis(container.Command ?? "", 20) : (container.Command ?? "")),
      CreatedAt: () => goTime(created),
      RunningFor: () => `${humanDuration(options.now - created)} ago`,
      Platform: () => platform(container),
      Ports: () => displayPorts(container.Ports ?? []),
      State: () => container.State ?? "",
      Status: () => container.Status ?? "",
      Size: () => size(container),
      Labels: () => joinLabels(labels),
      Mounts: () => (container.Mounts ?? []).map((mount) => shorten(mount.Name || (mount.Source ?? ""), truncates)).join(","),
      LocalVolumes: () => String((container.Mounts ?? []).filter((mount) => mount.Driver === "local").length),
      Networks: () => Object.keys(container.NetworkSettings?.Networks ?? {}).join(","),
    },
    { methods: { Label: (name) => labels[String(name)] ?? "" } },
  );
}

const shorten = (text: string, truncates: boolean): string => (truncates ? ellipsis(text, 15) : text);

export const joinLabels = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .toSorted()
    .join(",");

/** Names of links (`/web/db`) are left out of the short form. */
function names(container: ContainerSummary, truncates: boolean): string {
  const all = (container.Names ?? []).map((name) => name.replace(/^\//, ""));
  return (truncates ? all.filter((name) => !name.includes("/")) : all).join(",");
}

function image(container: ContainerSummary, truncates: boolean): string {
  if (!container.Image) return "<no image>";
  if (!truncates) return container.Image;
  const id = (container.ImageID ?? "").replace(/^sha256:/, "");
  if (container.Image.replace(/^sha256:/, "") === id) return id.slice(0, 12);
  return container.Image.replace(/@[^@]*$/, ""); // a digest says nothing to a reader
}

function platform(container: ContainerSummary): unknown {
  const found = container.ImageManifestDescriptor?.platform;
  return found ? `${found.os ?? ""}/${found.architecture ?? ""}` : null;
}

function size(container: ContainerSummary): string {
  const own = humanSize(container.SizeRw ?? 0, 3);
  return container.SizeRootFs ? `${own} (virtual ${humanSize(container.SizeRootFs, 3)})` : own;
}

/** `0.0.0.0:8080->80/tcp, 443/tcp`: neighbouring ports published under their own numbers are joined to ranges. */
export function displayPorts(ports: readonly PortSummary[]): string {
  const sorted = ports.toSorted(
    (one, other) =>
      one.PrivatePort - other.PrivatePort ||
      compare(one.IP ?? "", other.IP ?? "") ||
      (one.PublicPort ?? 0) - (other.PublicPort ?? 0) ||
      compare(one.Type ?? "", other.Type ?? ""),
  );
  const groups = new Map<string, { first: number; last: number }>();
  const ranges: string[] = [];
  const mappings: string[] = [];
  for (const { IP = "", PrivatePort, PublicPort = 0, Type = "tcp" } of sorted) {
    if (IP !== "" && PublicPort !== PrivatePort) {
      mappings.push(`${hostPort(IP, PublicPort)}->${PrivatePort}/${Type}`);
      continue;
    }
    const key = IP === "" ? Type : `${IP}/${Type}`;
    const group = groups.get(key);
    if (group && PrivatePort === group.last + 1) group.last = PrivatePort;
    else {
      if (group) ranges.push(range(key, group));
      groups.set(key, { first: PrivatePort, last: PrivatePort });
    }
  }
  return [...ranges, ...[...groups].map(([key, group]) => range(key, group)), ...mappings].join(", ");
}

function range(key: string, { first, last }: { readonly first: number; readonly last: number }): string {
  const slash = key.indexOf("/");
  const ports = first === last ? String(first) : `${first}-${last}`;
  return slash < 0 ? `${ports}/${key}` : `${hostPort(key.slice(0, slash), ports)}->${ports}${key.slice(slash)}`;
}

const hostPort = (address: string, port: number | string): string => `${address.includes(":") ? `[${address}]` : address}:${port}`;

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
