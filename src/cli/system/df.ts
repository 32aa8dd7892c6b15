import type { DiskUsage } from "#client/shapes.ts";
import { command, noArguments } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { printRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { listFormat } from "../help-texts.ts";
import { humanSize } from "../units.ts";
import { verboseUsage } from "./df-verbose.ts";

const headers = { Type: "TYPE", TotalCount: "TOTAL", Active: "ACTIVE", Size: "SIZE", Reclaimable: "RECLAIMABLE" } as const;

export const df = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: { format: text(undefined, listFormat), verbose: bool("v", "List every image, container and volume") },
  run: async ({ flags, client, out }) => {
    const usage = await client.system.diskUsage();
    if (flags.verbose) return out.write(verboseUsage(usage, { format: flags.format, now: Date.now() }));
    await printRows(
      summaries(usage).map(summaryRow),
      {
        format: flags.format || "table",
        defaultTable: "{{.Type}}\\t{{.TotalCount}}\\t{{.Active}}\\t{{.Size}}\\t{{.Reclaimable}}",
        raw: "type: {{.Type}}\ntotal: {{.TotalCount}}\nactive: {{.Active}}\nsize: {{.Size}}\nreclaimable: {{.Reclaimable}}\n",
        headers,
      },
      out,
    );
  },
});

interface Summary {
  readonly type: string;
  readonly total: number;
  readonly active: number;
  readonly sizeBytes: number;
  readonly reclaimableBytes: number;
  readonly showsShare: boolean;
}

const sum = (values: readonly (number | null | undefined)[]): number =>
  values.reduce<number>((total, value) => total + Math.max(0, value ?? 0), 0);

function summaries(usage: DiskUsage): readonly Summary[] {
  const images = usage.Images ?? [];
  const containers = usage.Containers ?? [];
  const volumes = usage.Volumes ?? [];
  const caches = usage.BuildCache ?? [];
  const used = images.filter((image) => (image.Containers ?? 0) > 0);
  const layers = usage.LayersSize ?? 0;
  // What daemons before API 1.52 leave to clients: a guess, as soon as used images share layers with each other.
  const usedBytes = sum(used.map((image) => (image.Size ?? 0) - Math.max(0, image.SharedSize ?? 0)));
  const running = containers.filter(({ State = "" }) => ["running", "paused", "restarting"].includes(State));
  const containerBytes = sum(containers.map(({ SizeRw }) => SizeRw));
  const volumeBytes = sum(volumes.map(({ UsageData }) => UsageData?.Size));
  const mounted = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) > 0);
  const cacheBytes = sum(caches.filter(({ Shared }) => !Shared).map(({ Size }) => Size));
  const busy = caches.filter(({ InUse }) => InUse);
  return [
    {
      type: "Images",
      total: images.length,
      active: used.length,
      sizeBytes: layers,
      reclaimableBytes: usage.ImageUsage?.Reclaimable ?? Math.max(0, layers - usedBytes),
      showsShare: true,
    },
    {
      type: "Containers",
      total: containers.length,
      active: running.length,
      sizeBytes: containerBytes,
      reclaimableBytes: containerBytes - sum(running.map(({ SizeRw }) => SizeRw)),
      showsShare: true,
    },
    {
      type: "Local Volumes",
      total: volumes.length,
      active: mounted.length,
      sizeBytes: volumeBytes,
      reclaimableBytes: volumeBytes - sum(mounted.map(({ UsageData }) => UsageData?.Size)),
      showsShare: true,
    },
    {
      type: "Build Cache",
      total: caches.length,
      active: busy.length,
      sizeBytes: cacheBytes,
      reclaimableBytes: cacheBytes - sum(busy.map(({ Size }) => Size)),
      showsShare: false,
    },
  ];
}

function summaryRow(summary: Summary): Row {
  const share =
    summary.showsShare && summary.sizeBytes > 0 ? ` (${Math.trunc((summary.reclaimableBytes * 100) / summary.sizeBytes)}%)` : "";
  return new Row("*formatter.diskUsageContext", {
    Type: () => summary.type,
    TotalCount: () => String(summary.total),
    Active: () => String(summary.active),
    Size: () => humanSize(summary.sizeBytes),
    Reclaimable: () => `${humanSize(summary.reclaimableBytes)}${share}`,
  });
}
