const powers: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

/** `512m`, `1.5 GiB`, `100` → bytes, base 1024. @throws {Error} with go-units' texts */
export function parseMemoryBytes(text: string): number {
  const invalid = new Error(`invalid size: '${text}'`);
  const match = /^(.*[\d. ])([^\d. ]*)$/.exec(text);
  if (!match) throw invalid;
  const number = (match[1] ?? "").endsWith(" ") ? (match[1] ?? "").slice(0, -1) : (match[1] ?? "");
  const failed = (reason: string): Error => new Error(`strconv.ParseFloat: parsing ${JSON.stringify(number)}: ${reason}`);
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(number)) throw failed("invalid syntax");
  if (!Number.isFinite(Number(number))) throw failed("value out of range");
  if (Number(number) < 0) throw invalid;
  const suffix = (match[2] ?? "").toLowerCase();
  if (suffix === "" || suffix === "b") return Math.trunc(Number(number));
  const power = powers[suffix[0] ?? ""];
  if (power === undefined || !/^.(i?b)?$/.test(suffix)) throw new Error(`invalid suffix: '${suffix}'`);
  return Math.trunc(Number(number) * 1024 ** power);
}
