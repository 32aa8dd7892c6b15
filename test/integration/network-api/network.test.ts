import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const port = 20_000 + (process.pid % 10_000);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

async function background(name: string, ...command: string[]): Promise<AsyncDisposable> {
  const { code, stderr } = await cli("run", "-d", "--name", name, ...command);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return { [Symbol.asyncDispose]: async () => void (await cli("rm", "-f", name)) };
}

/** The server in the container may need a moment to listen. */
async function fetchText(url: string): Promise<string> {
  let text = "";
  await until(async () => {
    text = await fetch(url, { signal: AbortSignal.timeout(3000), keepalive: false }).then(
      (response) => response.text(),
      () => "",
    );
    return text !== "";
  });
  return text;
}

describe("published ports", () => {
  test("are reached by 127.0.0.1, [::1] and the host's own address, and are free after rm", async () => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((entry) => entry?.family === "IPv4" && !entry.internal && !entry.address.startsWith("172."))?.address;
    for (let round = 0; round < 2; round++) {
      await using _web = await background("web", "-p", `${port}:80`, busybox, "httpd", "-f", "-h", "/etc");
      for (const host of ["127.0.0.1", "[::1]", ...(address === undefined ? [] : [address])]) {
        expect(await fetchText(`http://${host}:${port}/passwd`)).toContain("root:");
      }
      expect((await cli("port", "web")).stdout).toBe(`80/tcp -> 0.0.0.0:${port}\n80/tcp -> [::]:${port}\n`);
    }
  }, 30_000);

  test("I7: one that is taken fails the start with Docker's text and leaves no half state", async () => {
    await using _first = await background("first", "-p", `${port}:80`, busybox, "sleep", "1000");
    const second = await cli("run", "-d", "--name", "second", "-p", `${port}:80`, busybox, "sleep", "1000");
    expect(second.code).toBe(125);
    expect(second.stderr).toMatch(
      new RegExp(
        `driver failed programming external connectivity on endpoint second \\([0-9a-f]{64}\\): Bind for 0.0.0.0:${port} failed: port is already allocated`,
      ),
    );
    expect((await cli("inspect", "second", "--format", "{{.State.Status}}")).stdout).toBe("created\n");
    await cli("rm", "second");
  });

  test("an ephemeral one is told by inspect and port", async () => {
    await using _web = await background("ephemeral", "-p", "127.0.0.1::80", busybox, "httpd", "-f", "-h", "/etc");
    const bound = (await cli("port", "ephemeral", "80")).stdout.trim();
    expect(bound).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(await fetchText(`http://${bound}/passwd`)).toContain("root:");
  });
});

describe("a user-defined network", () => {
  test("resolves names and aliases of its containers, and no others", async () => {
    await cli("network", "create", "net-a");
    await cli("network", "create", "net-b");
    {
      await using _server = await background("server", "--network", "net-a", "--network-alias", "alias", busybox, "sleep", "1000");
      for (const name of ["server", "alias"]) {
        expect((await cli("run", "--rm", "--network", "net-a", busybox, "ping", "-c1", "-W2", name)).code).toBe(0);
      }
      expect((await cli("run", "--rm", "--network", "net-b", busybox, "ping", "-c1", "-W2", "server")).code).not.toBe(0);
      const refused = await cli("network", "rm", "net-a");
      expect(refused.stderr).toMatch(/network net-a has active endpoints \(name:"server" id:"[0-9a-f]{12}"\)/);
    }
    expect((await cli("network", "rm", "net-a", "net-b")).stdout).toBe("net-a\nnet-b\n");
  }, 30_000);

  test("can be joined and left while a container runs", async () => {
    await cli("network", "create", "net-c");
    {
      await using _one = await background("joiner", busybox, "sleep", "1000");
      expect((await cli("network", "connect", "--alias", "late", "net-c", "joiner")).code).toBe(0);
      expect((await cli("exec", "joiner", "ip", "-4", "addr", "show", "eth1")).stdout).toContain("inet ");
      expect((await cli("run", "--rm", "--network", "net-c", busybox, "ping", "-c1", "-W2", "late")).code).toBe(0);
      expect((await cli("network", "disconnect", "net-c", "joiner")).code).toBe(0);
      expect((await cli("exec", "joiner", "ip", "addr", "show", "eth1")).code).not.toBe(0);
    }
    await cli("network", "rm", "net-c");
  }, 30_000);

  test("has the subnet, gateway and address that were asked for", async () => {
    await cli("network", "create", "--subnet", "10.123.45.0/24", "--gateway", "10.123.45.254", "net-d");
    const { stdout } = await cli(
      "run",
      "--rm",
      "--network",
      "net-d",
      "--ip",
      "10.123.45.7",
      busybox,
      "sh",
      "-c",
      "ip -4 addr show eth0 | grep -o 'inet [^ ]*'; ip route | head -1",
    );
    expect(stdout).toMatch(/^inet 10\.123\.45\.7\/24\ndefault via 10\.123\.45\.254 dev eth0/);
    await cli("network", "rm", "net-d");
  });

  test("with a subnet alone has its first address as gateway, and does not show it as asked for", async () => {
    await cli("network", "create", "--subnet", "10.123.46.0/24", "net-e");
    const { stdout } = await cli("run", "--rm", "--network", "net-e", busybox, "ip", "route");
    expect(stdout).toContain("default via 10.123.46.1 dev eth0");
    expect((await cli("network", "inspect", "-f", "{{json .IPAM.Config}}", "net-e")).stdout).toBe('[{"Subnet":"10.123.46.0/24"}]\n');
    await cli("network", "rm", "net-e");
  });

  test("that is gone can be left by a container that does not run", async () => {
    await cli("network", "create", "net-f");
    await cli("create", "--name", "left", "--network", "net-f", busybox, "true");
    await cli("network", "rm", "net-f");
    expect((await cli("start", "left")).stderr).toContain("failed to set up container networking: network net-f not found");
    expect((await cli("network", "disconnect", "net-f", "left")).code).toBe(0);
    expect((await cli("network", "connect", "bridge", "left")).code).toBe(0);
    expect((await cli("start", "-a", "left")).code).toBe(0);
    await cli("rm", "left");
  });

  test("made again under its name is the one that a container starts on for the first time", async () => {
    await cli("network", "create", "net-g");
    await cli("create", "--name", "late-start", "--network", "net-g", busybox, "ping", "-c1", "-W2", "late-start");
    await cli("network", "rm", "net-g");
    await cli("network", "create", "net-g");
    expect((await cli("start", "-a", "late-start")).code).toBe(0);
    await cli("rm", "late-start");
    await cli("network", "rm", "net-g");
  });

  test.each([
    [["bridge"], "operation is not permitted on predefined bridge network"],
    [["--subnet", "10.0.0.0/33", "x"], "invalid subnet 10.0.0.0/33: invalid CIDR block notation"],
    [["-d", "no-such-driver", "x"], "no-such-driver"],
  ])("create %p is refused", async (args, message) => {
    const result = await cli("network", "create", ...args);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(message);
  });
});

describe("other modes", () => {
  test("none has loopback alone, host has the host's links, container:ID shares", async () => {
    expect((await cli("run", "--rm", "--network", "none", busybox, "ls", "/sys/class/net")).stdout).toBe("lo\n");
    expect((await cli("run", "--rm", "--network", "host", busybox, "hostname")).stdout).toBe(Bun.spawnSync(["hostname"]).stdout.toString());
    await using _one = await background("shared", busybox, "sleep", "1000");
    const own = (await cli("exec", "shared", "cat", "/sys/class/net/eth0/address")).stdout;
    expect((await cli("run", "--rm", "--network", "container:shared", busybox, "cat", "/sys/class/net/eth0/address")).stdout).toBe(own);
  });

  test("a container on the default bridge is in its own hosts file", async () => {
    const { stdout } = await cli("run", "--rm", "-h", "myself", "--add-host", "other:1.2.3.4", busybox, "cat", "/etc/hosts");
    expect(stdout).toContain("1.2.3.4\tother\n");
    expect(stdout).toMatch(/\n\d+\.\d+\.\d+\.\d+\tmyself\n$/);
  });
});
