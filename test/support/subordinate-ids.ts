import { readFileSync, writeFileSync } from "node:fs";

/** Users that every host has, whose subordinate ids tests give them. */
export const remapUsers = { one: "bin", other: "sys" } as const;
/** First ids of their ranges. */
export const firstIds = { one: 1_234_500_000, other: 1_334_500_000 } as const;

const files = ["/etc/subuid", "/etc/subgid"];

/** Gives the users ids for one test file; dispose to take them back. What others write there meanwhile stays. */
export function lendSubordinateIds(): Disposable {
  const lines = (["one", "other"] as const).map((which) => `${remapUsers[which]}:${firstIds[which]}:65536\n`).join("");
  for (const file of files) writeFileSync(file, withoutOurs(file) + lines);
  return {
    [Symbol.dispose]() {
      for (const file of files) writeFileSync(file, withoutOurs(file));
    },
  };
}

function withoutOurs(file: string): string {
  return readFileSync(file, "utf8").replaceAll(new RegExp(`^(${Object.values(remapUsers).join("|")}):.*\n`, "gm"), "");
}
