import { hostname } from "node:os";
import type { ForwardRecord } from "../forward/types.ts";
import type { SyslogFormat } from "./options.ts";

const severity = { stdout: 6, stderr: 3 } as const;
const months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const newline = Buffer.from("\n");

export interface SyslogHeader {
  readonly facility: number;
  readonly format: SyslogFormat;
  readonly framed: boolean;
  readonly tag: string;
}

/**
 * Makes messages of one container. Other than in Docker, their time is the record's own, not that of the sending.
 * Source: RFC 3164, RFC 5424, RFC 5425; compared with dockerd 28.5.
 */
export function syslogEncoder({ facility, format, framed, tag }: SyslogHeader): (record: ForwardRecord) => Buffer {
  const head = headOf(format, hostname(), tag);
  return ({ stream, timeNano, text }) => {
    const start = `<${facility * 8 + severity[stream]}>${head(timeNano)}`;
    const length = framed ? `${Buffer.byteLength(start) + text.length + 1} ` : "";
    return Buffer.concat([Buffer.from(length + start), text, newline]);
  };
}

function headOf(format: SyslogFormat, host: string, tag: string): (timeNano: bigint) => string {
  const sender = `${tag}[${process.pid}]: `;
  const structured = ` ${host} ${tag} ${process.pid} ${tag} - `;
  const stamp = ofSecond(localStamp);
  const time = ofSecond((seconds) => new Date(seconds * 1000).toISOString().slice(0, 19));
  switch (format) {
    case "unix":
      return (nano) => `${stamp(nano)} ${sender}`;
    case "rfc3164":
      return (nano) => `${stamp(nano)} ${host} ${sender}`;
    case "rfc5424":
      return (nano) => `1 ${time(nano)}Z${structured}`;
    case "rfc5424micro":
      return (nano) => `1 ${time(nano)}.${String((nano / 1000n) % 1_000_000n).padStart(6, "0")}Z${structured}`;
  }
}

/** Many lines are printed in one second: its text is made once. */
function ofSecond(format: (seconds: number) => string): (timeNano: bigint) => string {
  let last = NaN;
  let text = "";
  return (timeNano) => {
    const seconds = Number(timeNano / 1_000_000_000n);
    if (seconds !== last) text = format(seconds);
    last = seconds;
    return text;
  };
}

/** Time of the host's zone, as Go's time.Stamp. */
function localStamp(seconds: number): string {
  const date = new Date(seconds * 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${clock}`;
}
