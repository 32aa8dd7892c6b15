import { play, solo, type PlayBook } from "../play.ts";
import { filterText } from "../query.ts";

const pingHeaders = [
  "Api-Version",
  "Builder-Version",
  "Cache-Control",
  "Docker-Experimental",
  "Ostype",
  "Pragma",
  "Swarm",
  "Content-Length",
];

/** Operations of the tags System, and those of the builder and the swarm that a plain daemon answers. */
export const system: PlayBook = {
  noun: "system",
  plays: [
    play("ping answers OK and says what the daemon is", async (t) => {
      await t.call("GET", "/_ping", { showHeaders: pingHeaders });
      await t.call("GET", "/_ping", { version: "", showHeaders: pingHeaders });
    }),
    play("ping with HEAD has the headers and no body", async (t) => {
      await t.call("HEAD", "/_ping", { showHeaders: pingHeaders });
    }),
    play("version names product, API and components (bug 37)", async (t) => {
      await t.call("GET", "/version", { values: ["Os", "Arch", "KernelVersion", "MinAPIVersion"] });
      await t.call("GET", "/version", { version: "" });
    }),
    play("info has every key of the Engine API", async (t) => {
      await t.call("GET", "/info", { values: ["Plugins.Volume", "Plugins.Authorization", "Isolation", "OSType", "Architecture", "NCPU"] });
    }),
    play("info as older versions see it", async (t) => {
      await t.call("GET", "/info", { version: "v1.24" });
      await t.call("GET", "/info", { version: "v1.44" });
    }),
    play("unknown routes and methods", async (t) => {
      await t.call("GET", "/nothing/here");
      await t.call("GET", "/nothing/here", { version: "" });
      await t.call("DELETE", "/containers/json");
      await t.call("PUT", "/version");
      await t.call("GET", "/containers/create");
    }),
    play("a trailing slash and OPTIONS", async (t) => {
      await t.call("GET", `/networks/?filters=${filterText({ name: ["gantry-no-such-network"] })}`);
      await t.call("OPTIONS", "/containers/json");
    }),
    play("API versions out of range", async (t) => {
      await t.call("GET", "/version", { version: "v1.10" });
      await t.call("GET", "/version", { version: "v1.23" });
      await t.call("GET", "/version", { version: "v1.999" });
      await t.call("GET", "/version", { version: "v2.0" });
      await t.call("GET", "/version", { version: "v1" });
    }),
    play("events end at until and accept every filter", async (t) => {
      await t.call("GET", "/events?since=1&until=2");
      const filters = filterText({
        type: ["container"],
        event: ["die"],
        container: [t.name()],
        image: ["none"],
        volume: ["none"],
        network: ["none"],
        label: ["a=b"],
        daemon: ["x"],
        scope: ["local"],
      });
      await t.call("GET", `/events?since=1&until=2&filters=${filters}`);
    }),
    play("events send their headers at once (bug 25)", async (t) => {
      await t.call("GET", "/events", { headOnly: true });
    }),
    play("events refuse what they cannot read", async (t) => {
      await t.call("GET", "/events?since=nonsense&until=2");
      await t.call("GET", "/events?since=1&until=nonsense");
      await t.call("GET", "/events?since=20&until=10");
      await t.call("GET", `/events?since=1&until=2&filters=${filterText({ nonsense: ["a"] })}`);
      await t.call("GET", "/events?since=1&until=2&filters=nonsense");
    }),
    solo("disk usage has a list for each noun", async (t) => {
      const container = await t.running({ HostConfig: { Mounts: [{ Type: "volume", Source: t.name("v"), Target: "/v" }] } });
      await t.quiet("POST", `/images/busybox/tag?repo=${t.name("i")}&tag=v1`);
      t.ownImage(`${t.name("i")}:v1`);
      await t.call("GET", "/system/df", { own: true });
      await t.call("GET", "/system/df?type=volume", { own: true });
      await t.call("GET", "/system/df?type=image&type=container", { own: true });
      await t.call("GET", "/system/df?type=build-cache", { own: true });
      await t.call("GET", "/system/df?type=nonsense");
      await t.quiet("DELETE", `/containers/${container}?force=1`);
    }),
    play("swarm operations without a swarm", async (t) => {
      for (const path of ["/swarm", "/nodes", "/services", "/tasks", "/secrets", "/configs", "/swarm/unlockkey"]) await t.call("GET", path);
      for (const path of [
        "/nodes/x",
        "/services/x",
        "/tasks/x",
        "/secrets/x",
        "/configs/x",
        "/services/x/logs?stdout=1",
        "/tasks/x/logs?stdout=1",
      ])
        await t.call("GET", path);
      for (const path of ["/nodes/x", "/services/x", "/secrets/x", "/configs/x"]) await t.call("DELETE", path);
      await t.call("POST", "/services/create", { body: { Name: "x" } });
      await t.call("POST", "/secrets/create", { body: { Name: "x", Data: "eA==" } });
      await t.call("POST", "/configs/create", { body: { Name: "x", Data: "eA==" } });
      await t.call("POST", "/swarm/leave");
      await t.call("POST", "/swarm/update?version=1", { body: {} });
      await t.call("POST", "/nodes/x/update?version=1", { body: {} });
      await t.call("POST", "/services/x/update?version=1", { body: { Name: "x" } });
    }),
    play("the builder's cache can be pruned without a builder", async (t) => {
      await t.call("POST", `/build/prune?filters=${filterText({ id: ["none"] })}`);
    }),
    play("plugins of a daemon that has none", async (t) => {
      await t.call("GET", "/plugins");
      await t.call("GET", `/plugins/${t.name()}/json`);
    }),
    play("errors of routes are JSON for new clients and for old ones", async (t) => {
      await t.call("GET", `/containers/${t.name()}/json`, { version: "v1.24" });
      await t.call("GET", `/containers/${t.name()}/json`, { version: "" });
    }),
  ],
};
