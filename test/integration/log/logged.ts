import { readdirSync, readFileSync } from "node:fs";

/** The text of one stream in all files of a log, oldest first. */
export function loggedText(logsFolder: string, stream: "stdout" | "stderr"): string {
  const age = (name: string): number => Number(name.split("-json.log.")[1] ?? 0);
  return readdirSync(logsFolder)
    .filter((name) => name.includes("-json.log"))
    .sort((a, b) => age(b) - age(a))
    .flatMap((name) => readFileSync(`${logsFolder}/${name}`, "utf8").split("\n").filter(Boolean))
    .map((line) => JSON.parse(line) as { log: string; stream: string })
    .filter((entry) => entry.stream === stream)
    .map(({ log }) => log)
    .join("");
}
