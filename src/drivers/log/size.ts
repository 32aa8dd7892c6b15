import { EngineError } from "#lib/errors.ts";

const decimal: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, g: 1e9, t: 1e12, p: 1e15 };
const binary: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };

/**
 * Bytes of a size as people write it, in powers of 1000 ("10m" is 10,000,000): what `max-size` is read with.
 * @throws {EngineError} `invalid`
 * Source: docker/go-units v0.5, FromHumanSize; texts compared with dockerd 28.5.
 */
export function parseDecimalSize(text: string): number {
  return parseSize(text, decimal);
}

/** The same in powers of 1024 ("10m" is 10 MiB): what `max-buffer-size` is read with. Source: go-units, RAMInBytes. */
export function parseBinarySize(text: string): number {
  return parseSize(text, binary);
}

function parseSize(text: string, units: Readonly<Record<string, number>>): number {
  // The number ends at the last digit, dot or space; what follows is the unit.
  const end = text.search(/[0-9. ][^0-9. ]*$/);
  if (end < 0) throw new EngineError("invalid", `invalid size: '${text}'`);
  const number = text.slice(0, text[end] === " " ? end : end + 1);
  const suffix = text.slice(end + 1).toLowerCase();
  const size = parseFloatAsGo(number);
  if (size < 0) throw new EngineError("invalid", `invalid size: '${text}'`);
  return Math.trunc(size * factorOf(suffix, units));
}

/** Go's strconv.ParseFloat of decimal numbers; it takes underscores between digits. */
function parseFloatAsGo(text: string): number {
  const digits = text.replace(/(?<=\d)_(?=\d)/g, "");
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits))
    throw new EngineError("invalid", `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(digits);
}

function factorOf(suffix: string, units: Readonly<Record<string, number>>): number {
  if (suffix === "" || suffix === "b") return 1;
  const factor = units[suffix.charAt(0)];
  if (factor === undefined || !["", "b", "ib"].includes(suffix.slice(1))) throw new EngineError("invalid", `invalid suffix: '${suffix}'`);
  return factor;
}
