import type { SystemService } from "#engine/system/service.ts";
import { EngineError } from "#lib/errors.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, stream, text, type ApiResponse } from "../http/response.ts";
import { get, head, post, upgrade, type AnyRoute } from "../http/route.ts";
import { formatApiVersion, newestApiVersion, oldestApiVersion } from "../http/version.ts";
import { diskUsage, type DiskUsageServices } from "./disk-usage.ts";
import { eventStream } from "./events.ts";
import { toInfo } from "./info.ts";
import { queryFilters } from "../decode/filters.ts";
import { parseUnixTime } from "../decode/timestamp.ts";

/** Before there is a builder of our own, clients are told to use the classic one, which answers 501. */
const pingHeaders = {
  "Builder-Version": "1",
  "Cache-Control": "no-cache, no-store, must-revalidate",
  Pragma: "no-cache",
  Swarm: "inactive",
};

/** Source: Engine API, tag System. */
export function systemRoutes(system: SystemService, usage: DiskUsageServices): AnyRoute[] {
  return [
    get("/_ping", () => {
      usage.containers.expectStart();
      return text(200, "OK", pingHeaders);
    }),
    head("/_ping", () => {
      usage.containers.expectStart();
      return text(200, "", { ...pingHeaders, "Content-Length": "0" });
    }),
    get("/version", () => json(200, version(system))),
    get("/info", async ({ apiVersion }) => json(200, toInfo(await system.info(), apiVersion))),
    get("/events", (request) => events(system, request)),
    get("/system/df", (request) => diskUsage(usage, request)),
    post("/build", () => noBuilder()),
    post("/build/prune", () => json(200, { CachesDeleted: null, SpaceReclaimed: 0 })),
    post("/build/cancel", () => noBuilder()),
    upgrade("/session", () => Promise.resolve(noBuilder())),
    upgrade("/grpc", () => Promise.resolve(noBuilder())),
  ];
}

function noBuilder(): never {
  throw new EngineError("not_implemented", "the builder is not implemented yet");
}

function version(system: SystemService): unknown {
  const { product, commit, buildTime, kernelVersion, architecture, runtime, monitor } = system.versions;
  return {
    Platform: { Name: "Gantry" },
    Version: product,
    ApiVersion: formatApiVersion(newestApiVersion),
    MinAPIVersion: formatApiVersion(oldestApiVersion),
    Os: "linux",
    Arch: architecture,
    KernelVersion: kernelVersion,
    GitCommit: commit,
    GoVersion: "",
    BuildTime: buildTime,
    ...(system.isExperimental && { Experimental: true }),
    Components: [
      {
        Name: "Engine",
        Version: product,
        Details: {
          ApiVersion: formatApiVersion(newestApiVersion),
          Arch: architecture,
          BuildTime: buildTime,
          Experimental: String(system.isExperimental),
          GitCommit: commit,
          GoVersion: "",
          KernelVersion: kernelVersion,
          MinAPIVersion: formatApiVersion(oldestApiVersion),
          Os: "linux",
        },
      },
      { Name: runtime.name, Version: runtime.version, Details: { GitCommit: runtime.commit } },
      { Name: "conmon", Version: monitor.version, Details: { GitCommit: monitor.commit } },
    ],
  };
}

function events(system: SystemService, { query, signal }: ApiRequest): ApiResponse {
  const filters = queryFilters(query);
  const [since, until] = [query.get("since"), query.get("until")];
  const sinceNano = parseUnixTime(since);
  const untilNano = parseUnixTime(until);
  if (sinceNano !== undefined && untilNano !== undefined && untilNano !== 0n && sinceNano > untilNano)
    throw new EngineError("invalid", `\`since\` time (${since}) cannot be after \`until\` time (${until})`);
  return stream("application/json", eventStream(system.events, { filters, sinceNano, untilNano: untilNano || undefined, signal }));
}
