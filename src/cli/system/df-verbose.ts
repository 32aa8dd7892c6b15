import { parseTimeNano } from "#lib/clock.ts";
import type { BuildCacheRecord, DiskUsage } from "#client/shapes.ts";
import { containerHeaders, containerRow } from "../container/summary-row.ts";
import { renderRows } from "../format/rows.ts";
import { Row, toJson } from "../format/values.ts";
import { imageHeaders, imageRows } from "../image/ls.ts";
import { humanDuration, humanSize } from "../units.ts";
import { volumeHeaders, volumeRow } from "../volume/ls.ts";

interface Options {
  /** Empty or `table` for four tables, `json`, or a template that finds the four lists. */
  readonly format: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** All images, containers, volumes and build caches. */
export function verboseUsage(usage: DiskUsage, options: Options): string {
  const { format } = options;
  if (format === "" || format.startsWith("table")) return usageTables(usage, options);
  const lists = usageLists(usage, options.now);
  if (format === "json") return toJson(lists, { escapeHtml: false });
  // One text without a line end: it is for programs.
  return renderRows([lists], { format, hasTables: false, defaultTable: "", headers: {} }).slice(0, -1);
}

function usageLists(usage: DiskUsage, now: number): Row {
  const lists = {
    Images: (usage.Images ?? []).flatMap((image) => imageRows(image, { truncates: false, showsDigests: false, now, digest: "" })),
    Containers: (usage.Containers ?? []).map((container) => containerRow({ ...container, SizeRootFs: 0 }, { truncates: false, now })),
    Volumes: (usage.Volumes ?? []).map(volumeRow),
    BuildCache: sortedCaches(usage).map((cache) => cacheRow(cache, { truncates: false, now })),
  };
  return new Row("*formatter.DiskUsageContext", Object.fromEntries(Object.entries(lists).map(([name, rows]) => [name, () => rows])), {
    isStruct: true,
  });
}

/** Four tables: images, containers, volumes, build cache. */
function usageTables(usage: DiskUsage, { now }: Options): string {
  const table = (rows: readonly Row[], defaultTable: string, headers: Readonly<Record<string, string>>): string =>
    renderRows(rows, { format: "table", defaultTable, headers });
  const images = (usage.Images ?? []).flatMap((image) => imageRows(image, { truncates: true, showsDigests: false, now }));
  const containers = (usage.Containers ?? []).map((container) => containerRow({ ...container, SizeRootFs: 0 }, { truncates: true, now }));
  const caches = sortedCaches(usage);
  const cacheBytes = caches.reduce((total, { Size = 0, Shared }) => total + (Shared ? 0 : Size), 0);
  return [
    "Images space usage:\n\n",
    table(
      images,
      "{{.Repository}}\\t{{.Tag}}\\t{{.ID}}\\t{{.CreatedSince}}\\t{{.Size}}\\t{{.SharedSize}}\\t{{.UniqueSize}}\\t{{.Containers}}",
      imageHeaders,
    ),
    "\nContainers space usage:\n\n",
    table(
      containers,
      "{{.ID}}\\t{{.Image}}\\t{{.Command}}\\t{{.LocalVolumes}}\\t{{.Size}}\\t{{.RunningFor}}\\t{{.Status}}\\t{{.Names}}",
      containerHeaders,
    ),
    "\nLocal Volumes space usage:\n\n",
    table((usage.Volumes ?? []).map(volumeRow), "{{.Name}}\\t{{.Links}}\\t{{.Size}}", volumeHeaders),
    `\nBuild cache usage: ${humanSize(cacheBytes)}\n\n`,
    table(
      caches.map((cache) => cacheRow(cache, { truncates: true, now })),
      "{{.ID}}\\t{{.CacheType}}\\t{{.Size}}\\t{{.CreatedSince}}\\t{{.LastUsedSince}}\\t{{.UsageCount}}\\t{{.Shared}}",
      {
        ID: "CACHE ID",
        CacheType: "CACHE TYPE",
        Size: "SIZE",
        CreatedSince: "CREATED",
        LastUsedSince: "LAST USED",
        UsageCount: "USAGE",
        Shared: "SHARED",
      },
    ),
  ].join("");
}

/** Those that were used last come last, as in docker's client. */
function sortedCaches({ BuildCache }: DiskUsage): BuildCacheRecord[] {
  const usedAt = ({ LastUsedAt }: BuildCacheRecord): bigint => parseTimeNano(LastUsedAt ?? "") ?? -1n;
  return [...(BuildCache ?? [])].sort((a, b) => (usedAt(a) === usedAt(b) ? (a.ID < b.ID ? -1 : 1) : usedAt(a) < usedAt(b) ? -1 : 1));
}

function cacheRow(cache: BuildCacheRecord, { truncates, now }: { readonly truncates: boolean; readonly now: number }): Row {
  const since = (time: string | null | undefined): string => (time ? `${humanDuration(now - Date.parse(time))} ago` : "");
  // Go's text of a time, with all the digits that the daemon has told.
  const at = (time: string | null | undefined): string => (time ?? "").replace("T", " ").replace(/Z$/, " +0000 UTC");
  const parents = cache.Parents ?? cache[" Parents"];
  const shown = (id: string): string => (truncates ? id.slice(0, 12) : id);
  return new Row("*formatter.buildCacheContext", {
    ID: () => `${shown(cache.ID)}${cache.InUse ? "*" : ""}`,
    Parent: () => shown(parents?.length ? parents.join(", ") : (cache.Parent ?? "")),
    CacheType: () => cache.Type ?? "",
    Description: () => cache.Description ?? "",
    InUse: () => String(cache.InUse ?? false),
    Shared: () => String(cache.Shared ?? false),
    Size: () => humanSize(cache.Size ?? 0, 3),
    CreatedAt: () => at(cache.CreatedAt),
    CreatedSince: () => since(cache.CreatedAt),
    LastUsedAt: () => at(cache.LastUsedAt),
    LastUsedSince: () => since(cache.LastUsedAt),
    UsageCount: () => String(cache.UsageCount ?? 0),
  });
}
