import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { closeSync, readdirSync, writeFileSync } from "node:fs";
import { openBoundSocket } from "#os/socket.ts";
import { askByUdp, fetchFrom, host, inside, Machine, port, run, serve } from "./machine.ts";

/// Run by network-driver.test.ts inside namespaces of its own. 192.0.2.1 is the host on its LAN, 192.0.2.2 another machine there.
const lanNamespace = "/run/netns/gantry-lan";
const hostAddress = "192.0.2.1";
const hostAddress6 = "2001:db8::1";
let machine: Machine;

beforeAll(async () => {
  await run("mount", "-t", "tmpfs", "tmpfs", "/run");
  await run("ip", "link", "set", "lo", "up");
  await run("ip", "netns", "add", "gantry-lan");
  await run("ip", "link", "add", "lan0", "type", "veth", "peer", "name", "lan1", "netns", "gantry-lan");
  for (const address of [`${hostAddress}/24`, `${hostAddress6}/64`])
    await run("ip", "addr", "add", address, "dev", "lan0", ...(address.includes(":") ? ["nodad"] : []));
  await run("ip", "link", "set", "lan0", "up");
  for (const address of ["192.0.2.2/24", "2001:db8::2/64"])
    await inside(lanNamespace, "ip", "addr", "add", address, "dev", "lan1", ...(address.includes(":") ? ["nodad"] : []));
  await inside(lanNamespace, "ip", "link", "set", "lo", "up");
  await inside(lanNamespace, "ip", "link", "set", "lan1", "up");
  for (const name of ["iptables", "ip6tables"])
    writeFileSync(`/proc/sys/net/bridge/bridge-nf-call-${name}`, process.env["GANTRY_TEST_BRIDGE_NF"] ?? "1");
});

afterAll(async () => {
  await run("ip", "netns", "del", "gantry-lan");
});

beforeEach(async () => {
  machine = new Machine();
  await machine.driver.restore([], []);
});

afterEach(async () => {
  await machine[Symbol.asyncDispose]();
  const links = await run("ip", "-o", "link");
  expect(links.split("\n").filter((line) => line.includes(machine.instance.linkPrefix))).toEqual([]);
  expect(await run("nft", "list", "tables")).not.toContain(machine.instance.nftTable);
  expect(await run("grep", machine.root, "/proc/self/mounts")).toBe("");
});

describe("names", () => {
  test("containers of one network find each other by name, alias, name.network and address; others do not see them", async () => {
    const [one, two] = [machine.network("one", "10.81.0.0/24"), machine.network("two", "10.82.0.0/24")];
    for (const network of [one, two]) await machine.driver.createNetwork(network);
    const client = await machine.sandbox([machine.endpoint(one, "client")]);
    const stranger = await machine.sandbox([machine.endpoint(two, "stranger")]);
    await machine.sandbox([machine.endpoint(one, "database", "db")]);
    for (const name of ["database", "DB", "db.one"])
      expect(await inside(client.netnsPath, "busybox", "nslookup", name, "127.0.0.11")).toContain("10.81.0.3");
    expect(await inside(client.netnsPath, "busybox", "nslookup", "-type=ptr", "3.0.81.10.in-addr.arpa", "127.0.0.11")).toContain(
      "database.one",
    );
    expect(await inside(stranger.netnsPath, "busybox", "nslookup", "db", "127.0.0.11")).toContain("SERVFAIL");
  });

  test("other names are asked of the upstream servers from the host, but never for a sandbox on an internal network", async () => {
    const [open, internal] = [machine.network("open", "10.81.0.0/24"), machine.network("closed", "10.82.0.0/24", { internal: true })];
    for (const network of [open, internal]) await machine.driver.createNetwork(network);
    let queries = 0;
    const upstream = await Bun.udpSocket({
      hostname: "127.0.0.1",
      port: 53,
      binaryType: "buffer",
      socket: {
        data(socket, query, from, address) {
          queries++;
          const answer = Buffer.concat([
            query.subarray(0, query.indexOf(0, 12) + 5),
            Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 9]),
          ]);
          answer.writeUInt16BE(0x8180, 2);
          answer.writeUInt16BE(1, 6);
          answer.writeUInt32BE(0, 8);
          socket.send(answer, from, address);
        },
      },
    });
    const client = await machine.sandbox([machine.endpoint(open, "client")], [], ["127.0.0.1"]);
    const prisoner = await machine.sandbox([machine.endpoint(internal, "prisoner")], [], ["127.0.0.1"]);
    expect(await inside(client.netnsPath, "busybox", "nslookup", "-type=a", "example.org", "127.0.0.11")).toContain("203.0.113.9");
    expect(queries).toBe(1);
    expect(await inside(prisoner.netnsPath, "busybox", "nslookup", "-type=a", "example.org", "127.0.0.11")).toContain("SERVFAIL");
    expect(queries).toBe(1);
    upstream.close();
  });

  test("a container can be a DNS server itself: port 53 of all its addresses is free", async () => {
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    const sandbox = await machine.sandbox([machine.endpoint(network, "dns")]);
    await using _ = await serve(sandbox.netnsPath, "own server", 53);
    expect(await fetchFrom(host, "10.81.0.2", 53)).toStartWith("own server");
    expect(await inside(sandbox.netnsPath, "busybox", "nslookup", "dns", "127.0.0.11")).toContain("10.81.0.2");
  });
});

describe("published ports", () => {
  test("are reached from the host's loopbacks and addresses, from the LAN, from neighbours and from the container itself", async () => {
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    const sandbox = await machine.sandbox([machine.endpoint(network, "web")], [port(80, 8080), port(80, 8080, "", "udp")]);
    const neighbour = await machine.sandbox([machine.endpoint(network, "client")]);
    await using _ = await serve(sandbox.netnsPath, "web", 80);
    for (const [from, address] of [
      [host, "127.0.0.1"],
      [host, "::1"],
      [host, hostAddress],
      [host, hostAddress6],
      [lanNamespace, hostAddress],
      [lanNamespace, hostAddress6],
      [neighbour.netnsPath, hostAddress],
      [neighbour.netnsPath, "10.81.0.1"],
      [sandbox.netnsPath, hostAddress],
    ] as const)
      expect([from, address, await fetchFrom(from, address, 8080)]).toEqual([from, address, expect.stringMatching(/^web to /)]);
    for (const address of ["127.0.0.1", "::1", hostAddress])
      expect([address, await askByUdp(host, address, 8080)]).toEqual([address, "web by udp"]);
    expect(await fetchFrom(lanNamespace, hostAddress, 8080)).toBe("web to 192.0.2.2"); // the container sees who calls
  });

  test("of a network with IPv6 are reached at the host's IPv6 addresses", async () => {
    const network = machine.network("six", "10.81.0.0/24");
    const dual = {
      ...network,
      subnets: [...network.subnets, { family: 6 as const, subnet: "fd00:81::/64", gateway: "fd00:81::1", auxiliary: {} }],
    };
    await machine.driver.createNetwork(dual);
    const sandbox = await machine.sandbox([machine.endpoint(dual, "web")], [port(80, 8080)]);
    await using _ = await serve(sandbox.netnsPath, "web", 80);
    expect(sandbox.endpoints[0]).toMatchObject({ ipv6: "fd00:81::2", ipv6PrefixLength: 64, ipv6Gateway: "fd00:81::1" });
    expect(await fetchFrom(lanNamespace, hostAddress6, 8080)).toBe("web to 2001:db8::2");
    expect(await fetchFrom(host, "::1", 8080)).toStartWith("web to fd00:81::1");
    expect(await fetchFrom(host, "fd00:81::2", 80)).toStartWith("web to ");
    await using lan = await serve(lanNamespace, "lan", 90);
    expect(await fetchFrom(sandbox.netnsPath, "2001:db8::2", 90)).toBe(`lan to ${hostAddress6}`); // masqueraded
    void lan;
  });

  test("I1: on 127.0.0.1 are not for the LAN, neither at the host's address nor by routing 127.0.0.0/8 or the subnet there", async () => {
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    const sandbox = await machine.sandbox([machine.endpoint(network, "web")], [port(80, 8080, "127.0.0.1")]);
    await using _ = await serve(sandbox.netnsPath, "web", 80);
    await inside(lanNamespace, "ip", "route", "add", "10.81.0.0/24", "via", hostAddress);
    await inside(
      lanNamespace,
      "sh",
      "-c",
      "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via 192.0.2.1 src 192.0.2.2",
    );
    expect(await fetchFrom(host, "127.0.0.1", 8080)).toStartWith("web to");
    expect(await fetchFrom(host, hostAddress, 8080)).toBe("");
    for (const [address, number] of [
      [hostAddress, 8080],
      ["127.0.0.1", 8080],
      ["10.81.0.2", 80],
    ] as const)
      expect([address, await fetchFrom(lanNamespace, address, number)]).toEqual([address, ""]);
    await inside(lanNamespace, "sh", "-c", "ip route del 10.81.0.0/24; ip route del 127.0.0.1; ip addr add 127.0.0.1/8 dev lo");
  });

  test("I2: a container's ports are never reached by routing to its address, published or not", async () => {
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    const sandbox = await machine.sandbox([machine.endpoint(network, "web")], [port(80, 8080)]);
    await using _ = await serve(sandbox.netnsPath, "web", 80);
    await inside(lanNamespace, "ip", "route", "add", "10.81.0.0/24", "via", hostAddress);
    expect(await fetchFrom(lanNamespace, "10.81.0.2", 80)).toBe("");
    expect(await fetchFrom(lanNamespace, hostAddress, 8080)).toStartWith("web to");
    await inside(lanNamespace, "ip", "route", "del", "10.81.0.0/24");
  });

  test("I7: a port that is taken fails with Docker's words, leaves nothing half made, and is free after removal", async () => {
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    const first = await machine.sandbox([machine.endpoint(network)], [port(80, 8080)]);
    const before = (await run("ip", "-o", "link")).split("\n").length;
    const foreign = openBoundSocket({ protocol: "tcp", address: "0.0.0.0", port: 8090, listen: true });
    await expect(machine.sandbox([machine.endpoint(network)], [port(81, 8081), port(80, 8080)])).rejects.toThrow(
      "Bind for 0.0.0.0:8080 failed: port is already allocated",
    );
    await expect(machine.sandbox([machine.endpoint(network)], [port(80, 8080, "127.0.0.1")])).rejects.toThrow(
      "Bind for 127.0.0.1:8080 failed: port is already allocated",
    );
    await expect(machine.sandbox([machine.endpoint(network)], [port(80, 8090)])).rejects.toThrow(
      "failed to bind host port for 0.0.0.0:8090:10.81.0.3:80/tcp: address already in use",
    );
    await expect(machine.sandbox([machine.endpoint(network)], [port(80, 8091, "198.51.100.7")])).rejects.toThrow(
      "failed to bind host port for 198.51.100.7:8091:10.81.0.3:80/tcp: cannot assign requested address",
    );
    closeSync(foreign);
    await until(async () => (await run("ip", "-o", "link")).split("\n").length === before);
    expect(() => openBoundSocket({ protocol: "tcp", address: "127.0.0.1", port: 8080, reuseAddress: true, listen: true })).toThrow(
      "address already in use",
    );
    await machine.driver.removeSandbox(first.containerId);
    await machine.sandbox([machine.endpoint(network)], [port(81, 8081), port(80, 8080)]);
  });
});

describe("isolation", () => {
  test("I3: containers of different networks do not reach each other, but for published ports at the host's address", async () => {
    const [one, two] = [machine.network("one", "10.81.0.0/24"), machine.network("two", "10.82.0.0/24")];
    for (const network of [one, two]) await machine.driver.createNetwork(network);
    const server = await machine.sandbox([machine.endpoint(one, "web")], [port(80, 8080)]);
    const [near, far] = [await machine.sandbox([machine.endpoint(one)]), await machine.sandbox([machine.endpoint(two)])];
    await using _ = await serve(server.netnsPath, "web", 80);
    expect(await fetchFrom(near.netnsPath, "10.81.0.2", 80)).toStartWith("web to 10.81.0.3");
    expect(await fetchFrom(far.netnsPath, "10.81.0.2", 80)).toBe("");
    expect(await fetchFrom(far.netnsPath, hostAddress, 8080)).toStartWith("web to");
  });

  test("I3: without inter-container communication only published ports are reached", async () => {
    const network = machine.network("one", "10.81.0.0/24", { interContainer: false });
    await machine.driver.createNetwork(network);
    const server = await machine.sandbox([machine.endpoint(network, "web")], [port(80, 8080)]);
    const client = await machine.sandbox([machine.endpoint(network)]);
    await using _ = await serve(server.netnsPath, "web", 80);
    expect(await fetchFrom(client.netnsPath, "10.81.0.2", 80)).toBe("");
    expect(await fetchFrom(client.netnsPath, hostAddress, 8080)).toStartWith("web to");
    expect(await fetchFrom(host, "10.81.0.2", 80)).toStartWith("web to");
  });

  test("I4: an internal network has no way out, even for a container that adds a route", async () => {
    const [network, open] = [machine.network("closed", "10.81.0.0/24", { internal: true }), machine.network("open", "10.82.0.0/24")];
    for (const config of [network, open]) await machine.driver.createNetwork(config);
    const [prisoner, free] = [await machine.sandbox([machine.endpoint(network)]), await machine.sandbox([machine.endpoint(open)])];
    await using _ = await serve(lanNamespace, "lan", 90);
    expect(await inside(prisoner.netnsPath, "ip", "route", "show", "default")).toBe("");
    await inside(prisoner.netnsPath, "ip", "route", "add", "default", "via", "10.81.0.1");
    expect(await fetchFrom(prisoner.netnsPath, "192.0.2.2", 90)).toBe("");
    expect(await fetchFrom(free.netnsPath, "192.0.2.2", 90)).toBe(`lan to ${hostAddress}`);
  });

  test("I5: services on the host's loopback are out of reach, also for forged packets", async () => {
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    const sandbox = await machine.sandbox([machine.endpoint(network)]);
    const listener = Bun.listen({ hostname: "127.0.0.1", port: 8070, socket: { open: (socket) => void socket.end("host"), data() {} } });
    expect(await fetchFrom(sandbox.netnsPath, "10.81.0.1", 8070)).toBe("");
    await inside(
      sandbox.netnsPath,
      "sh",
      "-c",
      "echo 1 > /proc/sys/net/ipv4/conf/all/route_localnet; ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.1 via 10.81.0.1 src 10.81.0.2",
    );
    expect(await fetchFrom(sandbox.netnsPath, "127.0.0.1", 8070)).toBe("");
    expect(await fetchFrom(host, "127.0.0.1", 8070)).toBe("host");
    listener.stop(true);
  });

  test("a host that was no router does not become one for others", async () => {
    writeFileSync("/proc/sys/net/ipv4/ip_forward", "0");
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    await machine.crash();
    await machine.driver.restore([network], []); // forwarding is on now: that it was not is remembered
    await run("ip", "netns", "add", "gantry-far");
    await run(
      "sh",
      "-c",
      "ip link add far0 type veth peer name far1 netns gantry-far; ip addr add 198.51.100.1/24 dev far0; ip link set far0 up; ip -n gantry-far addr add 198.51.100.2/24 dev far1; ip -n gantry-far link set far1 up; ip -n gantry-far route add default via 198.51.100.1; ip -n gantry-lan route add 198.51.100.0/24 via 192.0.2.1",
    );
    await using _ = await serve("/run/netns/gantry-far", "far", 90);
    expect(await fetchFrom(host, "198.51.100.2", 90)).toStartWith("far to");
    expect(await fetchFrom(lanNamespace, "198.51.100.2", 90)).toBe("");
    const sandbox = await machine.sandbox([machine.endpoint(network)]);
    expect(await fetchFrom(sandbox.netnsPath, "198.51.100.2", 90)).toStartWith("far to");
    await run("sh", "-c", "ip -n gantry-lan route del 198.51.100.0/24; ip netns del gantry-far");
  });
});

describe("the host's own filter", () => {
  test.each([
    ["a FORWARD chain that drops", "table ip filter { chain FORWARD { type filter hook forward priority filter; policy drop; }; }"],
    [
      "Docker's chains",
      "table ip filter { chain DOCKER-USER { }; chain FORWARD { type filter hook forward priority filter; policy drop; jump DOCKER-USER; }; }",
    ],
  ])("beside %s containers reach the world and are reached; purge takes the jump away", async (_, script) => {
    await run("sh", "-c", `printf '%s\n' '${script}' | nft -f -`);
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    const sandbox = await machine.sandbox([machine.endpoint(network, "web")], [port(80, 8080)]);
    await using server = await serve(sandbox.netnsPath, "web", 80);
    await using lan = await serve(lanNamespace, "lan", 90);
    void server;
    void lan;
    expect(await fetchFrom(lanNamespace, hostAddress, 8080)).toStartWith("web to");
    expect(await fetchFrom(sandbox.netnsPath, "192.0.2.2", 90)).toStartWith("lan to");
    const neighbour = await machine.sandbox([machine.endpoint(network)]);
    expect(await fetchFrom(neighbour.netnsPath, "10.81.0.2", 80)).toStartWith("web to");
    await machine.driver.purge();
    expect(await run("nft", "list", "table", "ip", "filter")).not.toContain(machine.instance.nftTable);
    await run("nft", "delete", "table", "ip", "filter");
  });
});

describe("networks at run time", () => {
  test("a running container joins and leaves a network: link, names, default route and ports follow", async () => {
    const [one, two] = [machine.network("a-one", "10.81.0.0/24"), machine.network("b-two", "10.82.0.0/24")];
    for (const network of [one, two]) await machine.driver.createNetwork(network);
    const { containerId, netnsPath } = await machine.sandbox([machine.endpoint(one, "web")], [port(80, 8080)]);
    const peer = await machine.sandbox([machine.endpoint(two, "peer")]);
    await using _ = await serve(netnsPath, "web", 80);
    const joined = await machine.driver.connect(containerId, machine.endpoint(two, "web"));
    expect(joined.endpoints.map((endpoint) => endpoint.interfaceName)).toEqual(["eth0", "eth1"]);
    expect(await inside(peer.netnsPath, "busybox", "nslookup", "web", "127.0.0.11")).toContain("10.82.0.3");
    expect(await inside(netnsPath, "ip", "route", "show", "default")).toContain("via 10.81.0.1");
    machine.driver.rename(containerId, two.id, ["renamed"]);
    expect(await inside(peer.netnsPath, "busybox", "nslookup", "renamed", "127.0.0.11")).toContain("10.82.0.3");
    await machine.driver.disconnect(containerId, one.id);
    expect(await inside(netnsPath, "ip", "route", "show", "default")).toContain("via 10.82.0.1");
    expect(await fetchFrom(lanNamespace, hostAddress, 8080)).toStartWith("web to");
    expect(await fetchFrom(host, "::1", 8080)).toStartWith("web to");
    await expect(machine.driver.removeNetwork(two.id)).rejects.toThrow("has active endpoints");
    await machine.driver.removeNetwork(one.id);
  });

  test("an address is used again at once, and neighbours find its new owner", async () => {
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    const client = await machine.sandbox([machine.endpoint(network)]);
    for (const name of ["first", "second", "third"]) {
      const sandbox = await machine.sandbox([machine.endpoint(network)]);
      expect(sandbox.endpoints[0]?.ipv4).toBe("10.81.0.3");
      await using server = await serve(sandbox.netnsPath, name, 80);
      void server;
      expect(await fetchFrom(client.netnsPath, "10.81.0.3", 80)).toStartWith(name);
      await machine.driver.removeSandbox(sandbox.containerId);
    }
  });
});

describe("after a crash", () => {
  test("F4, F5, I6: what is recorded works again and what is not is gone", async () => {
    const [kept, lost] = [machine.network("kept", "10.81.0.0/24"), machine.network("lost", "10.82.0.0/24")];
    for (const network of [kept, lost]) await machine.driver.createNetwork(network);
    const web = await machine.sandbox([machine.endpoint(kept, "web")], [port(80, 8080)]);
    const client = await machine.sandbox([machine.endpoint(kept, "client")]);
    await machine.sandbox([machine.endpoint(lost, "orphan")], [port(80, 8081)]);
    await using _ = await serve(web.netnsPath, "web", 80);
    await machine.crash();
    await run("nft", "delete", "table", "inet", machine.instance.nftTable);
    const records = [web, client].map((state) => ({ ...state, resolver: { upstream: [] } }));
    await machine.driver.restore([kept], records);
    for (const address of ["127.0.0.1", "::1", hostAddress])
      expect([address, await fetchFrom(host, address, 8080)]).toEqual([address, expect.stringMatching(/^web to/)]);
    expect(await inside(client.netnsPath, "busybox", "nslookup", "web", "127.0.0.11")).toContain("10.81.0.2");
    expect(readdirSync(`${machine.instance.execRoot}/netns`)).toHaveLength(2);
    expect(await run("ip", "-o", "link")).not.toContain(lost.bridge);
    expect(await run("nft", "list", "table", "inet", machine.instance.nftTable)).not.toContain("8081");
    const next = await machine.sandbox([machine.endpoint(kept)], [port(80, 8081)]);
    expect(next.endpoints[0]?.ipv4).toBe("10.81.0.4");
    await machine.driver.restore([kept], records);
    expect(await fetchFrom(host, "127.0.0.1", 8080)).toStartWith("web to");
  });

  test("a bridge that was taken away comes back with its ports", async () => {
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    const web = await machine.sandbox([machine.endpoint(network, "web")], [port(80, 8080)]);
    await using _ = await serve(web.netnsPath, "web", 80);
    await machine.crash();
    await run("ip", "link", "del", network.bridge);
    await machine.driver.restore([network], [{ ...web, resolver: { upstream: [] } }]);
    expect(await fetchFrom(host, "127.0.0.1", 8080)).toStartWith("web to");
  });

  test("I6: a flushed rule set does not stop the next container", async () => {
    const network = machine.network("one", "10.81.0.0/24");
    await machine.driver.createNetwork(network);
    await run("nft", "flush", "ruleset");
    const web = await machine.sandbox([machine.endpoint(network, "web")], [port(80, 8080)]);
    await using _ = await serve(web.netnsPath, "web", 80);
    expect(await fetchFrom(lanNamespace, hostAddress, 8080)).toStartWith("web to");
    expect(await fetchFrom(lanNamespace, "10.81.0.2", 80)).toBe("");
  });
});

/** Waits for what the kernel does in its own time. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) if (await condition()) return;
  throw new Error("the condition never came true");
}
