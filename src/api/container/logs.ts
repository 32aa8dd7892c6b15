import { frame, type ContainerService } from "#engine/container/service.ts";
import type { LogLine, LogSelection } from "#engine/container/log-types.ts";
import { EngineError } from "#lib/errors.ts";
import type { ApiRequest } from "../http/request.ts";
import { stream, type ApiResponse } from "../http/response.ts";
import { streamContentType } from "./attach.ts";
import { queryBoolean } from "../decode/query.ts";
import { parseUnixTime } from "../decode/timestamp.ts";

/** Source: Engine API, ContainerLogs. */
export async function containerLogs(containers: ContainerService, request: ApiRequest<"name">): Promise<ApiResponse> {
  const { params, query, signal } = request;
  const record = containers.find(params.name);
  const stdout = queryBoolean(query, "stdout");
  const stderr = queryBoolean(query, "stderr");
  if (!stdout && !stderr) throw new EngineError("invalid", "Bad parameters: you must choose at least one stream");
  const sinceNano = parseUnixTime(query.get("since"));
  const untilNano = parseUnixTime(query.get("until"));
  const tail = parseTail(query.get("tail") ?? "all");
  const selection: LogSelection = {
    stdout,
    stderr,
    follow: queryBoolean(query, "follow"),
    ...(sinceNano !== undefined && { sinceNano }),
    ...(untilNano !== undefined && untilNano !== 0n && { untilNano }),
    ...(tail !== undefined && { tail }),
  };
  const tty = record.config.Tty === true;
  const form = { tty, timestamps: queryBoolean(query, "timestamps"), details: queryBoolean(query, "details") };
  const entries = containers.logs(record.id, selection, signal);
  return stream(streamContentType(request, tty), inBatches(format(entries, form)));
}

/** A number of lines; everything that is none means all, as in Docker. */
function parseTail(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

async function* format(
  entries: AsyncIterable<LogLine>,
  form: { readonly tty: boolean; readonly timestamps: boolean; readonly details: boolean },
): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    const head = (form.timestamps ? `${formatStamp(entry.timeNano)} ` : "") + (form.details ? `${formatDetails(entry.attributes)} ` : "");
    const line = head === "" ? entry.line : Buffer.concat([Buffer.from(head), entry.line]);
    yield form.tty ? line : frame({ stream: entry.stream, line });
  }
}

/** Always nine digits, so that columns align. */
function formatStamp(nano: bigint): string {
  const base = new Date(Number(nano / 1_000_000n)).toISOString().slice(0, 19);
  return `${base}.${(nano % 1_000_000_000n).toString().padStart(9, "0")}Z`;
}

function formatDetails(attributes: Readonly<Record<string, string>>): string {
  return Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join(",");
}

const batchBytes = 64 * 1024;

/**
 * Joins pieces that are there at once: a write for each line of a long log would cost more than reading it. What has to be waited for is
 * not waited for with something in hand.
 */
async function* inBatches(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = pieces[Symbol.asyncIterator]();
  try {
    let next = source.next();
    for (;;) {
      const first = await next;
      if (first.done) return;
      const batch = [first.value];
      let length = first.value.length;
      next = source.next();
      // Pieces of a block that is read arrive before the event loop turns.
      const turn = new Promise<undefined>((resolve) => setImmediate(() => resolve(undefined)));
      while (length < batchBytes) {
        const more = await Promise.race([next, turn]);
        if (!more || more.done) break;
        batch.push(more.value);
        length += more.value.length;
        next = source.next();
      }
      yield batch.length === 1 ? first.value : Buffer.concat(batch, length);
    }
  } finally {
    await source.return?.();
  }
}
