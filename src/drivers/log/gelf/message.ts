import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { deflateSync, gzipSync } from "node:zlib";
import type { ForwardRecord, RecordSource } from "../forward/types.ts";
import { escapeGrowth, escapeInto, goString } from "../json-line.ts";
import type { GelfCompression } from "./options.ts";

const level = { stdout: 6, stderr: 3 } as const;

/** Makes messages of one container. Source: GELF 1.1; compared with dockerd 28.5. */
export function gelfEncoder(source: RecordSource): (record: ForwardRecord) => Buffer {
  const fields: Record<string, string> = {
    _command: source.command,
    _container_id: source.containerId,
    _container_name: source.containerName,
    _created: source.createdAt,
    _image_id: source.imageId,
    _image_name: source.imageName,
    _tag: source.tag,
  };
  for (const [name, value] of Object.entries(source.attributes)) fields[name.startsWith("_") ? name : `_${name}`] = value;
  const names = Object.keys(fields).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const extra = names.map((name) => `${goString(name)}:${goString(fields[name] ?? "")}`).join(",");
  const start = Buffer.from(`{"version":"1.1","host":${goString(hostname())},"short_message":"`);
  return ({ stream, timeNano, text }) => {
    const end = `","timestamp":${Number(timeNano / 1_000_000n) / 1000},"level":${level[stream]},${extra}}`;
    return Buffer.concat([start, escape(text), Buffer.from(end)]);
  };
}

function escape(text: Buffer): Buffer {
  const target = Buffer.allocUnsafe(text.length * escapeGrowth);
  return target.subarray(0, escapeInto(text, 0, text.length, target, 0));
}

export function compress(message: Buffer, compression: GelfCompression, compressionLevel: number): Buffer {
  if (compression === "none") return message;
  return (compression === "gzip" ? gzipSync : deflateSync)(message, { level: compressionLevel });
}

/** A datagram that passes through most networks whole; what is longer goes in chunks. */
const datagramBytes = 1420;
const chunkHeadBytes = 12;
const chunkIdBytes = 8;

export function chunks(message: Buffer): Buffer[] {
  if (message.length <= datagramBytes) return [message];
  const step = datagramBytes - chunkHeadBytes;
  const count = Math.ceil(message.length / step);
  const id = randomBytes(chunkIdBytes);
  return Array.from({ length: count }, (_, index) =>
    Buffer.concat([Buffer.of(0x1e, 0x0f), id, Buffer.of(index, count), message.subarray(index * step, (index + 1) * step)]),
  );
}
