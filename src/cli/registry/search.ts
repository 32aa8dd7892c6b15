import type { SearchResult } from "#client/shapes.ts";
import { command, exactly } from "../command.ts";
import { bool, filters, int, text } from "../flag-kinds.ts";
import { ellipsis, printRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { listFormat } from "../help-texts.ts";
import { registryAuth } from "./credentials.ts";

const headers = { Name: "NAME", Description: "DESCRIPTION", StarCount: "STARS", IsOfficial: "OFFICIAL" } as const;
const descriptionWidth = 45;

export const search = command({
  usage: "[OPTIONS] TERM",
  args: exactly(1),
  flags: {
    filter: filters("f", "Show only what matches, such as is-official=true or stars=100"),
    format: text(undefined, listFormat),
    limit: int(undefined, "How many to show at most, 1 to 100 (default: 25)"),
    noTrunc: bool(undefined, "Print long values in full"),
  },
  examples: ["search busybox", "search --filter is-official=true registry.example/base"],
  run: async ({ args, flags, client, config, out }) => {
    const [term = ""] = args;
    const results = await client.images.search({
      term,
      limit: flags.limit,
      filters: flags.filter,
      registryAuth: await registryAuth(await config(), term),
    });
    const rows = results.map((result) => searchRow(result, flags.noTrunc));
    const columns = "{{.Name}}\\t{{.Description}}\\t{{.StarCount}}\\t{{.IsOfficial}}";
    await printRows(rows, { format: flags.format || "table", defaultTable: columns, headers }, out);
  },
});

function searchRow(
  { name = "", description = "", star_count: stars = 0, is_official: isOfficial = false }: SearchResult,
  isWhole: boolean,
): Row {
  const line = description.replaceAll("\n", " ").replaceAll("\r", " ");
  const fields = {
    Name: () => name,
    Description: () => (isWhole ? line : ellipsis(line, descriptionWidth)),
    StarCount: () => String(stars),
    IsOfficial: () => (isOfficial ? "[OK]" : ""),
  };
  // JSON has words where the table has a mark.
  const json = (): [string, unknown][] => [
    ["Description", fields.Description()],
    ["IsOfficial", String(isOfficial)],
    ["Name", name],
    ["StarCount", String(stars)],
  ];
  return new Row("*registry.searchContext", fields, { json });
}
