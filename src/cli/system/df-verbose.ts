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
    BuildCache: (usage.BuildCache ?? []).map((cache) => cacheRow(cache, now)),
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
  const caches = usage.BuildCache ?? [];
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
      caches.map((cache) => cacheRow(cache, now)),
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

function cacheRow(cache: BuildCacheRecord, now: number): Row {
  const since = (time: string | null | undefined): string => (time ? `${humanDuration(now - Date.parse(time))} ago` : "");
  return new Row("*formatter.buildCacheContext", {
    ID: () => `${cache.ID.slice(0, 12)}${cache.InUse ? "*" : ""}`,
    CacheType: () => cache.Type ?? "",
    Size: () => humanSize(cache.Size ?? 0, 3),
    CreatedSince: () => since(cache.CreatedAt),
    LastUsedSince: () => since(cache.LastUsedAt),
    UsageCount: () => String(cache.UsageCount ?? 0),
    Shared: () => String(cache.Shared ?? false),
  });
}
