import type { Finding } from "./difference.ts";
import type { Records } from "./records.ts";

/** Records that name each other: what is named must be there, and what must be unique is. */
export function checkCrossReferences(records: Records): Finding[] {
  const { references, images, containers } = records;
  return [
    ...records.damaged,
    ...[...references.values()]
      .filter(({ imageId }) => !images.has(imageId))
      .map(({ reference, imageId }): Finding => ({
        kind: "record",
        subject: `image_reference ${reference}`,
        message: `names image ${imageId}, which has no record`,
      })),
    ...[...containers.values()].flatMap(({ id, mounts }) =>
      mounts
        .filter(({ type, name }) => type === "volume" && name !== undefined && !records.volumes.has(name))
        .map(({ name }): Finding => ({
          kind: "record",
          subject: `container ${id}`,
          message: `has volume ${name}, which has no record`,
          owner: id,
        })),
    ),
    ...records.live.flatMap(({ id, sandbox }) =>
      (sandbox?.endpoints ?? [])
        .filter(({ networkId }) => !records.networks.has(networkId))
        .map(({ networkId }): Finding => ({
          kind: "record",
          subject: `container ${id}`,
          message: `is connected to network ${networkId}, which has no record`,
          owner: id,
        })),
    ),
    ...[...containers.values()]
      .filter(({ id, state, sandbox }) => sandbox && !records.mayRun(id) && state.status !== "restarting")
      .map(leftSandbox),
    ...duplicates(
      "name",
      [...containers.values()].map(({ id, name }) => [name, id]),
    ),
    ...duplicates("address", [...addresses(records)]),
  ];
}

const leftSandbox = ({ id }: { readonly id: string }): Finding => ({
  kind: "record",
  subject: `container ${id}`,
  message: "has a network sandbox, but does not run",
  owner: id,
});

function* addresses({ live }: Records): Generator<readonly [string, string]> {
  for (const { id, sandbox } of live)
    for (const { networkId, ipv4, ipv6 } of sandbox?.endpoints ?? [])
      for (const address of [ipv4, ipv6]) if (address !== undefined) yield [`${address} of network ${networkId}`, id];
}

function duplicates(what: string, pairs: readonly (readonly [string, string])[]): Finding[] {
  return [...Map.groupBy(pairs, ([value]) => value)]
    .filter(([, holders]) => holders.length > 1)
    .map(([value, holders]) => ({
      kind: "record",
      subject: `${what} ${value}`,
      message: `belongs to containers ${holders.map(([, id]) => id).join(" and ")}, should belong to one`,
    }));
}
