import { joinEntries } from "#engine/container/log-pieces.ts";
import type { ContainerService } from "#engine/container/service.ts";
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
  return stream(streamContentType(request, tty), format(entries, form));
}

/** A number of lines; everything that is none means all, as in Docker. */
function parseTail(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

interface LogForm {
  readonly tty: boolean;
  readonly timestamps: boolean;
  readonly details: boolean;
}

async function* format(batches: AsyncIterable<readonly LogLine[]>, form: LogForm): AsyncGenerator<Uint8Array> {
  const prefix = form.timestamps || form.details ? (entry: LogLine) => headOf(entry, form) : undefined;
  for await (const entries of batches) yield joinEntries(entries, { framed: !form.tty, ...(prefix && { prefix }) });
}

function headOf({ timeNano, attributes }: LogLine, form: LogForm): string {
  return (form.timestamps ? `${formatStamp(timeNano)} ` : "") + (form.details ? `${formatDetails(attributes)} ` : "");
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
