import type { Housekeeper } from "#engine/image/housekeeping/housekeeper.ts";
import { queryBoolean } from "../decode/query.ts";
import { json } from "../http/response.ts";
import { get, post, type Route } from "../http/route.ts";

/** What images go by themselves: our own routes, which no Docker client asks for. */
export function housekeepingRoutes(housekeeper: Housekeeper): Route[] {
  return [
    get("/gantry/images/gc", ({ query }) => {
      const { policy, disk, verdicts } = housekeeper.plan(queryBoolean(query, "force"));
      return json(200, {
        Policy: {
          Enabled: policy.isEnabled,
          HighMark: policy.highMark,
          LowMark: policy.lowMark,
          UnusedForSeconds: policy.unusedForMilliseconds / 1000,
          KeepTags: policy.keptTags,
          Local: policy.takesLocal,
        },
        Disk: { TotalBytes: disk.totalBytes, UsedBytes: disk.usedBytes },
        Images: verdicts.map(({ image, decision, reason, freedBytes }) => ({
          Id: image.id,
          RepoTags: image.tags,
          LastUsedAt: new Date(image.lastUsedAt).toISOString(),
          Decision: decision,
          Reason: reason,
          FreedBytes: freedBytes,
        })),
      });
    }),
    post("/gantry/images/gc", async ({ query }) => json(200, { ImagesDeleted: await housekeeper.run(queryBoolean(query, "force")) })),
  ];
}
