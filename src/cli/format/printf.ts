import { exponentOf, formatGeneral } from "./float.ts";
import { display, quote } from "./values.ts";

/** A field wider than this is a mistake, or someone trying to fill memory. */
const maximumWidth = 100_000;

/** Go's fmt.Sprintf for the verbs v s d q x X o b c t f e g T and %. Source: Go, fmt, "Printing". */
export function sprintf(format: string, args: readonly unknown[]): string {
  let used = 0;
  const next = (): unknown => args[used++];
  const text = format.replace(
    /%([-+# 0]*)(\d+|\*)?(?:\.(\d+|\*)?)?([a-zA-Z%]|$)/gu,
    (whole, flags: string, width: string | undefined, precision: string | undefined, verb: string) => {
      if (verb === "%") return "%";
      if (verb === "") return "%!(NOVERB)";
      const columns = width === "*" ? Number(next()) : Number(width ?? 0);
      const digits = whole.includes(".") ? (precision === "*" ? Number(next()) : Number(precision ?? 0)) : undefined;
      if (used >= args.length) return `%!${verb}(MISSING)`;
      return pad(formatVerb(verb, next(), flags, digits), flags, Math.min(columns, maximumWidth));
    },
  );
  if (used >= args.length) return text;
  return `${text}%!(EXTRA ${args
    .slice(used)
    .map((value) => `${typeName(value)}=${display(value)}`)
    .join(", ")})`;
}

function pad(text: string, flags: string, columns: number): string {
  if (flags.includes("-")) return text.padEnd(columns);
  if (!flags.includes("0")) return text.padStart(columns);
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(columns - sign.length, "0");
}

function formatVerb(verb: string, value: unknown, flags: string, digits: number | undefined): string {
  const bad = `%!${verb}(${typeName(value)}=${display(value)})`;
  switch (verb) {
    case "v":
      return flags.includes("#") && typeof value === "string" ? quote(value) : display(value);
    case "s":
      if (typeof value === "number" || typeof value === "boolean") return bad;
      return digits === undefined ? display(value) : Array.from(display(value)).slice(0, digits).join("");
    case "q":
      return typeof value === "string" ? quote(value) : typeof value === "number" ? `'${String.fromCodePoint(value)}'` : bad;
    case "t":
      return typeof value === "boolean" ? String(value) : bad;
    case "T":
      return typeName(value);
    case "c":
      return typeof value === "number" ? String.fromCodePoint(value) : bad;
    case "x":
    case "X":
      return hexadecimal(value, verb) ?? bad;
    default:
      return typeof value === "number"
        ? formatNumber(verb, value, flags, digits)
        : /^\d+$/.test(String(value)) && verb === "d"
          ? String(value)
          : bad;
  }
}

function hexadecimal(value: unknown, verb: string): string | undefined {
  const text = typeof value === "number" ? value.toString(16) : typeof value === "string" ? Buffer.from(value).toString("hex") : undefined;
  return verb === "X" ? text?.toUpperCase() : text;
}

function formatNumber(verb: string, value: number, flags: string, digits: number | undefined): string {
  const sign = flags.includes("+") && value >= 0 ? "+" : "";
  switch (verb) {
    case "d":
      return Number.isInteger(value) ? sign + value : `%!d(float64=${display(value)})`;
    case "o":
      return sign + value.toString(8);
    case "b":
      return sign + value.toString(2);
    case "f":
    case "F":
      return sign + value.toFixed(Math.min(digits ?? 6, 100));
    case "e": {
      const [mantissa = "", exponent = "0"] = value.toExponential(Math.min(digits ?? 6, 100)).split("e");
      return `${sign}${mantissa}e${exponentOf(Number(exponent))}`;
    }
    case "g":
      return sign + (digits === undefined ? display(value) : formatGeneral(value, Math.min(digits, 100)));
    default:
      return `%!${verb}(int=${value})`;
  }
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  if (typeof value === "boolean") return "bool";
  return typeof value === "string" ? "string" : Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
}
