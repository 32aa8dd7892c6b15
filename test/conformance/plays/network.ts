import { play, type PlayBook } from "../play.ts";
import { filterText } from "../query.ts";
import type { Stage } from "../stage.ts";

async function listed(t: Stage, filters: Readonly<Record<string, readonly string[]>>): Promise<void> {
  await t.list(`/networks?filters=${filterText({ name: [t.unique], ...filters })}`);
}

/** Networks of the driver bridge, and the predefined ones. */
export const network: PlayBook = {
  noun: "network",
  plays: [
    play("the predefined networks", async (t) => {
      for (const name of ["host", "none"])
        await t.call("GET", `/networks/${name}`, {
          values: ["Name", "Driver", "Scope", "IPAM", "Options", "Labels", "Attachable", "Ingress", "ConfigFrom"],
        });
      await t.call("GET", "/networks/bridge", { only: ["Name", "Driver", "IPAM.Driver", "IPAM.Options", "Options", "Labels"] });
      for (const name of ["host", "none", "bridge"]) await t.call("DELETE", `/networks/${name}`);
    }),
    play("create and inspect", async (t) => {
      const { json } = await t.call("POST", "/networks/create", { body: { Name: t.name("n"), Labels: { a: "b" } } });
      t.know((json as { Id: string }).Id, "network id");
      await t.call("GET", `/networks/${t.name("n")}`, { values: ["IPAM.Driver", "IPAM.Options", "Options", "Labels"] });
      await t.call("GET", `/networks/${t.name("n")}?verbose=1&scope=local`);
      await t.call("GET", `/networks/${t.name("n")}?scope=swarm`);
      await t.call("GET", `/networks/${t.name("n")}`, { version: "v1.24" });
      await t.call("GET", `/networks/${t.name("n")}`, { version: "v1.47" });
    }),
    play("create with addresses of its own", async (t) => {
      const IPAM = {
        Driver: "default",
        Options: { a: "b" },
        Config: [
          { Subnet: "10.231.9.0/24", IPRange: "10.231.9.128/25", Gateway: "10.231.9.254", AuxiliaryAddresses: { aux: "10.231.9.5" } },
        ],
      };
      await t.call("POST", "/networks/create", {
        body: { Name: t.name("n"), IPAM, Internal: true, Attachable: true, Options: { "com.docker.network.bridge.enable_icc": "false" } },
      });
      await t.call("GET", `/networks/${t.name("n")}`, { values: ["IPAM", "Internal", "Attachable", "Options"] });
    }),
    play("create with IPv6", async (t) => {
      await t.call("POST", "/networks/create", {
        body: { Name: t.name("n"), EnableIPv6: true, IPAM: { Config: [{ Subnet: "fd00:231:9::/64" }] } },
      });
      await t.call("GET", `/networks/${t.name("n")}`, { values: ["EnableIPv4", "EnableIPv6"] });
    }),
    play("create refuses (bug 15)", async (t) => {
      await t.call("POST", "/networks/create", { body: { Name: t.name("n") } });
      await t.call("POST", "/networks/create", { body: { Name: t.name("n") } });
      await t.call("POST", "/networks/create", { body: { Name: t.name("n"), CheckDuplicate: true } });
      for (const body of [
        { Name: "" },
        { Name: "bridge" },
        { Name: "host" },
        { Name: " " },
        { Name: `${t.unique}/b` },
        { Name: t.name("x"), Driver: "nonsense" },
        { Name: t.name("x"), Driver: "host" },
        { Name: t.name("x"), IPAM: { Driver: "nonsense" } },
        {},
      ])
        await t.call("POST", "/networks/create", { body });
      const subnets = [
        { Subnet: "nonsense" },
        { Subnet: "10.231.10.5/24" },
        { Subnet: "10.231.10.0/33" },
        { Subnet: "10.231.10.0/24", Gateway: "nonsense" },
        { Subnet: "10.231.10.0/24", Gateway: "10.1.1.1" },
        { Subnet: "10.231.10.0/24", IPRange: "10.1.1.0/24" },
        { Subnet: "10.231.10.0/24", AuxiliaryAddresses: { a: "10.1.1.1" } },
        { Gateway: "10.231.10.1" },
        { Subnet: "" },
      ];
      for (const [index, subnet] of subnets.entries())
        await t.call("POST", "/networks/create", { body: { Name: t.name(`x${index}`), IPAM: { Config: [subnet] } } });
    }),
    play("subnets that overlap", async (t) => {
      await t.network(t.name("a"), { IPAM: { Config: [{ Subnet: "10.231.11.0/24" }] } });
      await t.call("POST", "/networks/create", { body: { Name: t.name("b"), IPAM: { Config: [{ Subnet: "10.231.11.128/25" }] } } });
    }),
    play("connect and disconnect a running container", async (t) => {
      await t.network(t.name("n"), { IPAM: { Config: [{ Subnet: "10.231.12.0/24" }] } });
      const id = await t.running();
      await t.call("POST", `/networks/${t.name("n")}/connect`, {
        body: { Container: id, EndpointConfig: { Aliases: ["alias1"], IPAMConfig: { IPv4Address: "10.231.12.50" } } },
      });
      await t.call("GET", `/containers/${id}/json`, {
        values: [
          `NetworkSettings.Networks.${t.name("n")}.Aliases`,
          `NetworkSettings.Networks.${t.name("n")}.DNSNames`,
          `NetworkSettings.Networks.${t.name("n")}.IPAMConfig`,
        ],
      });
      await t.call("GET", `/networks/${t.name("n")}`);
      await t.call("POST", `/networks/${t.name("n")}/connect`, { body: { Container: id } });
      await t.call("DELETE", `/networks/${t.name("n")}`);
      await t.call("POST", `/networks/${t.name("n")}/disconnect`, { body: { Container: id } });
      await t.call("POST", `/networks/${t.name("n")}/disconnect`, { body: { Container: id } });
      await t.call("POST", `/networks/${t.name("n")}/disconnect`, { body: { Container: id, Force: true } });
      await t.call("DELETE", `/networks/${t.name("n")}`);
    }),
    play("connect and disconnect a container that does not run", async (t) => {
      await t.network(t.name("n"));
      const id = await t.container();
      await t.call("POST", `/networks/${t.name("n")}/connect`, { body: { Container: id } });
      await t.call("GET", `/containers/${id}/json`);
      await t.call("POST", `/networks/${t.name("n")}/disconnect`, { body: { Container: id } });
      await t.call("POST", `/networks/bridge/disconnect`, { body: { Container: id } });
      await t.call("GET", `/containers/${id}/json`);
    }),
    play("connect refuses", async (t) => {
      await t.network(t.name("n"), { IPAM: { Config: [{ Subnet: "10.231.13.0/24" }] } });
      const id = await t.running();
      await t.call("POST", `/networks/${t.name("n")}/connect`, { body: {} });
      await t.call("POST", `/networks/${t.name("n")}/connect`, { body: { Container: t.name("missing") } });
      await t.call("POST", `/networks/${t.name("missing")}/connect`, { body: { Container: id } });
      await t.call("POST", `/networks/${t.name("n")}/connect`, {
        body: { Container: id, EndpointConfig: { IPAMConfig: { IPv4Address: "10.1.1.1" } } },
      });
      await t.call("POST", `/networks/${t.name("n")}/connect`, {
        body: { Container: id, EndpointConfig: { IPAMConfig: { IPv4Address: "nonsense" } } },
      });
      await t.call("POST", `/networks/host/connect`, { body: { Container: id } });
      await t.call("POST", `/networks/none/connect`, { body: { Container: id } });
      await t.call("POST", `/networks/${t.name("missing")}/disconnect`, { body: { Container: id } });
      await t.call("POST", `/networks/${t.name("n")}/disconnect`, { body: { Container: t.name("missing") } });
      const hosted = await t.running({ HostConfig: { NetworkMode: "host" } });
      await t.call("POST", `/networks/${t.name("n")}/connect`, { body: { Container: hosted } });
      await t.call("POST", `/networks/host/disconnect`, { body: { Container: hosted } });
    }),
    play("an address that is taken", async (t) => {
      await t.network(t.name("n"), { IPAM: { Config: [{ Subnet: "10.231.14.0/24" }] } });
      const endpoint = {
        NetworkingConfig: { EndpointsConfig: { [t.name("n")]: { IPAMConfig: { IPv4Address: "10.231.14.9" } } } },
        HostConfig: { NetworkMode: t.name("n") },
      };
      await t.running(endpoint);
      const second = await t.container(endpoint);
      await t.call("POST", `/containers/${second}/start`);
    }),
    play("a container keeps its network alive (bug 18)", async (t) => {
      await t.network(t.name("n"));
      const id = await t.running({ HostConfig: { NetworkMode: t.name("n") } });
      await t.call("GET", `/containers/${id}/json`);
      await t.call("DELETE", `/networks/${t.name("n")}`);
      await t.quiet("POST", `/containers/${id}/stop?t=0`);
      await t.call("GET", `/containers/${id}/json`);
      await t.call("DELETE", `/networks/${t.name("n")}`);
      await t.call("POST", `/containers/${id}/start`);
    }),
    play("missing networks", async (t) => {
      await t.call("GET", `/networks/${t.name("missing")}`);
      await t.call("DELETE", `/networks/${t.name("missing")}`);
    }),
    play("inspect finds by id, short id and name", async (t) => {
      const id = await t.network(t.name("n"));
      for (const name of [id, id.slice(0, 12), t.name("n")]) await t.call("GET", `/networks/${name}`);
    }),
    play("list with every filter", async (t) => {
      const id = await t.network(t.name("a"), { Labels: { a: "b" } });
      await t.network(t.name("b"), { Internal: true });
      await t.running({ HostConfig: { NetworkMode: t.name("b") } });
      await listed(t, {});
      await listed(t, { driver: ["bridge"] });
      await listed(t, { driver: ["host"] });
      await listed(t, { id: [id.slice(0, 10)] });
      await listed(t, { name: [t.name("a")] });
      await listed(t, { label: ["a"] });
      await listed(t, { label: ["a=c"] });
      await listed(t, { scope: ["local"] });
      await listed(t, { scope: ["swarm"] });
      await listed(t, { type: ["custom"] });
      await listed(t, { type: ["builtin"] });
      await listed(t, { type: ["nonsense"] });
      await listed(t, { dangling: ["true"] });
      await listed(t, { dangling: ["false"] });
      await listed(t, { dangling: ["nonsense"] });
      await listed(t, { nonsense: ["x"] });
    }),
    play("prune", async (t) => {
      const label = `gantry.play=${t.unique}`;
      const labels = { Labels: { "gantry.play": t.unique } };
      await t.network(t.name("free"), labels);
      await t.network(t.name("used"), labels);
      await t.container({ HostConfig: { NetworkMode: t.name("used") } });
      await t.call("POST", `/networks/prune?filters=${filterText({ label: [label], until: ["1h"] })}`);
      await t.call("POST", `/networks/prune?filters=${filterText({ label: [label] })}`, { values: [""] });
      await t.call("POST", `/networks/prune?filters=${filterText({ label: [label], nonsense: ["x"] })}`);
      await t.call("POST", `/networks/prune?filters=${filterText({ label: [label], until: ["nonsense"] })}`);
    }),
    play("names and addresses resolve inside", async (t) => {
      await t.network(t.name("n"));
      await t.running({
        HostConfig: { NetworkMode: t.name("n") },
        NetworkingConfig: { EndpointsConfig: { [t.name("n")]: { Aliases: ["aliased"] } } },
      });
      const id = await t.container({
        Cmd: [
          "sh",
          "-c",
          `ping -c1 -w3 aliased >/dev/null && ping -c1 -w3 ${t.name("c0")} >/dev/null && echo reached; nslookup no-such-name.invalid >/dev/null || echo unknown`,
        ],
        HostConfig: { NetworkMode: t.name("n") },
      });
      await t.quiet("POST", `/containers/${id}/start`);
      await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1&follow=1`);
    }),
  ],
};
