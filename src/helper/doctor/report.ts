import type { Check } from "./check.ts";

const colors: Readonly<Record<Check["status"], string>> = { ok: "32", info: "36", warn: "33", missing: "31" };

/** A line for each check; what is to be done stands below it. */
export function formatReport(checks: readonly Check[], inColor: boolean): string {
  const nameWidth = Math.max(0, ...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, detail, advice }) => {
    const padded = status.padEnd("missing".length);
    const shown = inColor ? `\u001b[${colors[status]}m${padded}\u001b[0m` : padded;
    const indent = " ".repeat("missing".length + 2 + nameWidth + 2);
    return [`${shown}  ${name.padEnd(nameWidth)}  ${detail}`, ...(advice === undefined ? [] : [`${indent}do this: ${advice}`])];
  });
  return lines.map((line) => `${line}\n`).join("");
}
