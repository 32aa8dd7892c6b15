import { formatTimeNano } from "#lib/clock.ts";
import type { ForwardRecord, RecordSource } from "../forward/types.ts";

const priority = { stdout: "6", stderr: "3" } as const;
const shortIdLength = 12;
const newline = Buffer.from("\n");

/** Makes entries of one container. Source: systemd, "Native Journal Protocol"; fields compared with dockerd 28.5. */
export function journaldEncoder(source: RecordSource): (record: ForwardRecord) => Buffer {
  const { containerId, containerName, imageName, tag } = source;
  const extra = Object.entries(source.attributes).map(([name, value]) => [fieldName(name), value] as const);
  const common = [
    ...extra.filter(([name]) => name !== ""),
    ["CONTAINER_ID", containerId.slice(0, shortIdLength)] as const,
    ["CONTAINER_ID_FULL", containerId] as const,
    ["CONTAINER_NAME", containerName] as const,
    ["CONTAINER_TAG", tag] as const,
    ["IMAGE_NAME", imageName] as const,
    ["SYSLOG_IDENTIFIER", tag] as const,
    // Numbers never begin anew: the container is what they are counted in.
    ["CONTAINER_LOG_EPOCH", containerId] as const,
  ].map(([name, value]) => field(name, value));
  return ({ stream, timeNano, text, part, ordinal }) =>
    Buffer.concat([
      field("PRIORITY", priority[stream]),
      field("MESSAGE", text),
      ...common,
      field("SYSLOG_TIMESTAMP", formatTimeNano(timeNano)),
      field("CONTAINER_LOG_ORDINAL", String(ordinal)),
      ...(part
        ? [
            field("CONTAINER_PARTIAL_MESSAGE", "true"),
            field("CONTAINER_PARTIAL_ID", part.id),
            field("CONTAINER_PARTIAL_ORDINAL", String(part.ordinal)),
            field("CONTAINER_PARTIAL_LAST", String(part.last)),
          ]
        : []),
    ]);
}

/** Names have capital letters, digits and underscores, the first of which is none: those are the journal's own. */
function fieldName(name: string): string {
  return name
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, "_")
    .replace(/^_+/, "");
}

function field(name: string, value: string | Buffer): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  if (!bytes.includes(newline)) return Buffer.concat([Buffer.from(`${name}=`), bytes, newline]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, newline]);
}
