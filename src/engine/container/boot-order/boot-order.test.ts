import { describe, expect, test } from "bun:test";
import { deferred, type Deferred } from "#lib/async.ts";
import type { EventListener } from "../../event/bus.ts";
import type { ContainerHealth, ContainerRecord, ContainerState } from "#types/record/container.ts";
import { initialState } from "../state.ts";
import { dependencyGraph } from "./dependencies.ts";
import { startInOrder } from "./start.ts";
import { stopInOrder } from "./stop.ts";

type Status = "running" | "exited";

/** A service of a compose project; `dependsOn` as compose writes its label. */
function service(id: string, dependsOn = "", more: Partial<ContainerRecord> = {}): ContainerRecord {
  return {
    id,
    name: id,
    createdAt: "",
    imageId: "",
    platform: { os: "linux", architecture: "amd64" },
    config: {
      Labels: {
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": id,
        "com.docker.compose.depends_on": dependsOn,
      },
    },
    hostConfig: {},
    networks: {},
    mounts: [],
    layers: [],
    state: { ...initialState, status: "exited" },
    restartCount: 0,
    stoppedByUser: false,
    volatile: false,
    logDriver: "json-file",
    ...more,
  };
}

const process = { pid: 1, pidStartTicks: 1, monitorPid: 1, monitorStartTicks: 1 };
const stateOf = (status: Status, exitCode = 0): ContainerState =>
  status === "running" ? { ...initialState, status, process } : { ...initialState, status, exitCode };

/** A daemon with these containers. Starts take place when the test lets them. */
function machine(...records: ContainerRecord[]) {
  const byId = new Map(records.map((record) => [record.id, record]));
  const health = new Map<string, ContainerHealth>();
  const listeners = new Set<EventListener>();
  const begun: string[] = [];
  const warnings: unknown[] = [];
  const starts = new Map<string, Deferred<void>>();
  const tell = (id: string): void => {
    for (const listener of listeners)
      listener({ type: "container", action: "x", actorId: id, attributes: {}, scope: "local", timeNano: "0" });
  };
  const set = (id: string, state: ContainerState, status?: ContainerHealth["status"]): void => {
    const record = byId.get(id);
    if (record) byId.set(id, { ...record, state });
    if (status) health.set(id, { status, failingStreak: 0, log: [], restarts: 0 });
    tell(id);
  };
  return {
    begun,
    warnings,
    set,
    /** Lets the start of `id` succeed. */
    started(id: string, status?: ContainerHealth["status"]) {
      set(id, stateOf("running"), status);
      starts.get(id)?.resolve();
    },
    failed: (id: string) => starts.get(id)?.reject(new Error("no such image")),
    services: {
      deps: {
        containers: { all: () => byId.values(), peek: (id: string) => byId.get(id) },
        events: {
          listen: (listener: EventListener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
          },
        },
        log: { warn: (_text: string, fields: unknown) => warnings.push(fields) },
      },
      lifecycle: {
        isClosing: false,
        start: (id: string) => {
          begun.push(id);
          const start = deferred<void>();
          starts.set(id, start);
          return start.promise;
        },
      },
      health: { of: ({ id }: ContainerRecord) => health.get(id) },
    },
    listeners,
  };
}

const boot = (one: ReturnType<typeof machine>, wanted: readonly ContainerRecord[], limit?: number) =>
  startInOrder(one.services, wanted, limit);

const turns = () => Bun.sleep(5);

describe("dependencyGraph()", () => {
  test("reads compose's labels: every container of the service, of the same project, and no one-off", () => {
    const other = service("db", "", { id: "foreign" });
    const labels = { ...other.config.Labels, "com.docker.compose.project": "other" };
    const second = service("db", "", { id: "db2" });
    const oneOff = { ...second.config.Labels, "com.docker.compose.oneoff": "True" };
    const graph = dependencyGraph([
      service("web", "db:service_healthy:false,cache:service_started:true,job:service_completed_successfully:false,gone:service_started"),
      service("db"),
      second,
      service("db", "", { id: "once", config: { Labels: oneOff } }),
      service("cache"),
      service("job"),
      { ...other, config: { Labels: labels } },
    ]);
    expect(graph.get("web")).toEqual([
      { id: "db", condition: "healthy" },
      { id: "db2", condition: "healthy" },
      { id: "cache", condition: "started" },
      { id: "job", condition: "completed" },
    ]);
  });

  test("whoever shares a namespace depends on its owner", () => {
    const graph = dependencyGraph([service("guest", "", { hostConfig: { NetworkMode: "container:host" } }), service("host")]);
    expect(graph.get("guest")).toEqual([{ id: "host", condition: "started" }]);
  });

  test("a container depends on those it is linked to", () => {
    const web = { ...service("web"), links: [{ containerId: "db", name: "db", alias: "store" }] };
    expect(dependencyGraph([web, service("db")]).get("web")).toEqual([{ id: "db", condition: "started" }]);
  });

  test("of a cycle one edge is left out", () => {
    const graph = dependencyGraph([service("a", "b"), service("b", "c"), service("c", "a"), service("self", "self")]);
    expect(["a", "b", "c", "self"].map((id) => (graph.get(id) ?? []).map((one) => one.id))).toEqual([["b"], ["c"], [], []]);
  });
});

describe("startInOrder()", () => {
  test("each begins when what it depends on is as far as wanted", async () => {
    const records = [service("web", "api:service_started"), service("api", "db:service_healthy:true"), service("db"), service("alone")];
    const one = machine(...records);
    const done = boot(one, records);
    await turns();
    expect(one.begun.toSorted()).toEqual(["alone", "db"]);
    one.started("alone");
    one.started("db", "starting");
    await turns();
    expect(one.begun.length).toBe(2);
    one.set("db", stateOf("running"), "healthy");
    await turns();
    expect(one.begun.at(-1)).toBe("api");
    one.started("api");
    await turns();
    expect(one.begun.at(-1)).toBe("web");
    one.started("web");
    await done;
    expect({ warnings: one.warnings, listeners: one.listeners.size }).toEqual({ warnings: [], listeners: 0 });
  });

  test("what runs already is not started, and counts", async () => {
    const db = service("db", "", { state: stateOf("running") });
    const web = service("web", "db:service_healthy");
    const one = machine(db, web);
    one.set("db", stateOf("running"), "healthy");
    const done = boot(one, [web]);
    await turns();
    expect(one.begun).toEqual(["web"]);
    one.started("web");
    await done;
  });

  test.each([
    ["ended well before", stateOf("exited"), 0],
    ["ended badly and is not started again", stateOf("exited", 1), 1],
  ])("a job that %s does not hold up", async (_, state, warnings) => {
    const web = service("web", "job:service_completed_successfully");
    const one = machine(service("job", "", { state }), web);
    const done = boot(one, [web]);
    await turns();
    expect(one.begun).toEqual(["web"]);
    one.started("web");
    await done;
    expect(one.warnings.length).toBe(warnings);
  });

  test("one that cannot be started, ends, or turns unhealthy is not waited for", async () => {
    const records = ["a", "b", "c"].map((id) => service(id));
    const waiting = records.map(({ id }) => service(`after-${id}`, `${id}:service_healthy`));
    const one = machine(...records, ...waiting);
    const done = boot(one, [...records, ...waiting]);
    await turns();
    one.failed("a");
    one.started("b", "starting");
    one.started("c", "starting");
    one.set("b", stateOf("exited", 1));
    one.set("c", stateOf("running"), "unhealthy");
    await turns();
    expect(one.begun.slice(3).toSorted()).toEqual(["after-a", "after-b", "after-c"]);
    for (const { id } of waiting) one.started(id);
    await done;
  });

  test("waiting has an end", async () => {
    const records = [service("db"), service("web", "db:service_healthy")];
    const one = machine(...records);
    const done = boot(one, records, 20);
    await turns();
    one.started("db", "starting");
    await Bun.sleep(40);
    expect(one.begun).toEqual(["db", "web"]);
    one.started("web");
    await done;
    expect(one.warnings).toEqual([{ container: "web", dependency: "db", condition: "healthy", progress: "under way" }]);
  });

  test("a cycle starts", async () => {
    const records = [service("a", "b"), service("b", "a")];
    const one = machine(...records);
    const done = boot(one, records);
    await turns();
    one.started("b");
    await turns();
    one.started("a");
    await done;
    expect(one.begun).toEqual(["b", "a"]);
  });
});

describe("stopInOrder()", () => {
  test("dependents first, others side by side, also through one that does not run", async () => {
    const [web, api, db, alone] = [service("web", "api"), service("api", "db"), service("db"), service("alone")];
    const order: string[] = [];
    const ends = new Map<string, Deferred<void>>();
    const done = stopInOrder([db, web, alone], [web, api, db, alone], ({ id }) => {
      order.push(id);
      const end = deferred<void>();
      ends.set(id, end);
      return end.promise;
    });
    await turns();
    expect(order.toSorted()).toEqual(["alone", "web"]);
    ends.get("web")?.reject(new Error("does not end"));
    await turns();
    expect(order.at(-1)).toBe("db");
    ends.get("db")?.resolve();
    ends.get("alone")?.resolve();
    await done;
  });
});
