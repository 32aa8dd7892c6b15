/** A number as C's and Go's `%.Ng`: N significant digits, trailing zeros left out, an exponent where it is shorter. */
export function formatGeneral(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return "0";
  const precision = Math.max(1, digits);
  const [mantissa = "", exponentText = "0"] = value.toExponential(precision - 1).split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= precision) return `${trimZeros(mantissa)}e${exponentOf(exponent)}`;
  return trimZeros(value.toFixed(Math.max(0, precision - 1 - exponent)));
}

/** Go writes at least two digits of an exponent: `1e+03`. */
export function exponentOf(exponent: number): string {
  return `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

const trimZeros = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
