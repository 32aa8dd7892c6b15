import { formatGeneral } from "./format/float.ts";

export { humanDuration } from "#lib/duration.ts";
export { parseMemoryBytes } from "#lib/memory-size.ts";

const decimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/** `1.23MB`: base 1000, `digits` significant digits (Docker's tables use 3, raw sizes 4). */
export function humanSize(sizeBytes: number, digits = 4): string {
  return scaled(sizeBytes, 1000, decimalUnits, digits);
}

/** `1.5GiB`: base 1024, four significant digits. */
export function binarySize(sizeBytes: number): string {
  return scaled(sizeBytes, 1024, binaryUnits, 4);
}

function scaled(sizeBytes: number, base: number, units: readonly string[], digits: number): string {
  let size = sizeBytes;
  let unit = 0;
  while (size >= base && unit < units.length - 1) {
    size /= base;
    unit++;
  }
  return `${formatGeneral(size, digits)}${units[unit] ?? ""}`;
}

const durationUnits: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Go's time.ParseDuration: `1h15m30.5s`, in nanoseconds. @throws {Error} with Go's texts */
export function parseDurationNano(text: string): bigint {
  const invalid = (reason = "invalid duration") => new Error(`time: ${reason} ${JSON.stringify(text)}`);
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return 0n;
  if (rest === "") throw invalid();
  let total = 0;
  while (rest !== "") {
    const [whole, number = "", unit = ""] = /^(\d+\.?\d*|\.\d+)([^\d.]*)/.exec(rest) ?? [];
    if (whole === undefined) throw invalid();
    if (unit === "") throw invalid("missing unit in duration");
    const factor = durationUnits[unit];
    if (factor === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += Number(number) * factor;
    rest = rest.slice(whole.length);
  }
  return BigInt(Math.round(total)) * BigInt(sign);
}
