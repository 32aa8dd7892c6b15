/** Go's `time.Time.String()` of a moment, in UTC as Docker's client without a zone shows it: `2026-11-24 00:05:10 +0000 UTC`. */
export function goTime(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? "-" : "+";
  const zone = `${sign}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone} ${zoneName(date)}`;
}

/** `UTC`, `CET`; where there is no name, Go repeats the offset. */
function zoneName(date: Date): string {
  const name =
    new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(date).find((part) => part.type === "timeZoneName")?.value ??
    "UTC";
  const match = /^GMT([+-])(\d+)(?::(\d+))?$/.exec(name);
  if (!match) return name === "GMT" ? "GMT" : name;
  return `${match[1]}${(match[2] ?? "").padStart(2, "0")}${match[3] ?? ""}`;
}
