import { afterAll, beforeAll, expect } from "bun:test";
import { readFileSync } from "node:fs";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, type Finished } from "../../support/docker.ts";
import { needs } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

const bridged = needs("nftables");
let daemon: TestDaemon;
const cli = (...args: string[]): Promise<Finished> => docker(daemon.host, ...args);
const listens = "nc -ll -p 80 -e echo eighty & nc -ll -p 81 -e echo eightyone & nc -ll -p 82 -e echo eightytwo & wait";
const run = (name: string, ...args: string[]): Promise<Finished> =>
  cli("run", "-d", "--stop-signal", "KILL", "--name", name, ...args, busybox, "sh", "-c", listens);
const addressOf = async (name: string): Promise<string> =>
  (await cli("inspect", "--format", "{{.NetworkSettings.Networks.bridge.IPAddress}}", name)).stdout.trim();
/** What a port of another says to a container; empty when it cannot be reached. */
const reached = async (from: string, to: string, port: number): Promise<string> =>
  (await cli("exec", from, "sh", "-c", `nc -w 1 ${await addressOf(to)} ${port} </dev/null`)).stdout.trim();

beforeAll(async () => {
  daemon = await startDaemon({ args: ["--icc=false"] });
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

bridged(
  "RUN-23: with --icc=false only linked containers reach each other, at the ports that the other exposes",
  async () => {
    const option = '{{index .Options "com.docker.network.bridge.enable_icc"}}';
    expect((await cli("network", "inspect", "bridge", "--format", option)).stdout).toBe("false\n");
    await run("db", "--expose", "80", "--expose", "82");
    await run("web", "--link", "db:store");
    await run("other");
    expect(await reached("web", "db", 80)).toBe("eighty");
    expect(await reached("web", "db", 82)).toBe("eightytwo");
    expect(await reached("web", "db", 81)).toBe("");
    expect(await reached("db", "web", 80)).toBe("");
    expect(await reached("other", "db", 80)).toBe("");
    expect((await cli("exec", "other", "ping", "-c", "1", "-w", "1", await addressOf("db"))).code).not.toBe(0);

    // The one that is linked to comes back at another address.
    const before = await addressOf("db");
    await cli("stop", "db");
    await run("taker");
    expect(await addressOf("taker")).toBe(before);
    expect(await reached("web", "taker", 80)).toBe("");
    await cli("start", "db");
    expect(await reached("web", "db", 80)).toBe("eighty");

    await daemon.kill();
    await daemon.start();
    expect(await reached("web", "db", 80)).toBe("eighty");
    expect(await reached("other", "db", 80)).toBe("");

    await cli("network", "disconnect", "bridge", "web");
    await cli("network", "connect", "bridge", "web");
    expect(await reached("web", "db", 80)).toBe("eighty");
    await cli("rm", "--link", "/web/store");
    expect(await reached("web", "db", 80)).toBe("");
    await cli("rm", "-f", "db", "web", "other", "taker");
  },
  60_000,
);

bridged(
  "published ports and names outside are as ever",
  async () => {
    await run("served", "-p", "18973:80");
    await run("asks");
    const gateway = (await cli("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")).stdout.trim();
    expect((await cli("exec", "asks", "sh", "-c", `nc -w 1 ${gateway} 18973 </dev/null`)).stdout.trim()).toBe("eighty");
    await cli("rm", "-f", "served", "asks");
  },
  20_000,
);

bridged(
  "a network of the user can keep its containers apart too",
  async () => {
    await cli("network", "create", "-o", "com.docker.network.bridge.enable_icc=false", "apart");
    await cli("run", "-d", "--name", "one", "--network", "apart", busybox, "sh", "-c", listens);
    await cli("run", "-d", "--name", "two", "--network", "apart", busybox, "sh", "-c", listens);
    expect((await cli("exec", "two", "sh", "-c", "nc -w 1 one 80 </dev/null")).stdout).toBe("");
    await cli("rm", "-f", "one", "two");
    await cli("network", "rm", "apart");
  },
  20_000,
);

bridged(
  "a daemon that starts without it lets all of them talk again, and the next one keeps them apart",
  async () => {
    await run("left");
    await run("right");
    expect(await reached("left", "right", 80)).toBe("");
    await daemon.stop();
    const { dataRoot, execRoot } = daemon;
    const main = process.execPath;
    const args = ["--data-root", dataRoot, "--exec-root", execRoot, "-H", daemon.host, "--config-file=/dev/null"];
    const free = Bun.spawn([main, "src/main.ts", "daemon", ...args], { stdio: ["ignore", "ignore", "ignore"] });
    try {
      await until(async () => (await cli("version")).code === 0);
      expect(await reached("left", "right", 80)).toBe("eighty");
    } finally {
      free.kill("SIGTERM");
      await free.exited;
    }
    await daemon.start();
    expect(await reached("left", "right", 80)).toBe("");
    await cli("rm", "-f", "left", "right");
  },
  30_000,
);

bridged("the host answers for the addresses of containers that do not hear each other", async () => {
  const bridge = (
    await cli("network", "inspect", "bridge", "--format", '{{index .Options "com.docker.network.bridge.name"}}')
  ).stdout.trim();
  expect(readFileSync(`/proc/sys/net/ipv4/conf/${bridge}/proxy_arp_pvlan`, "utf8")).toBe("1\n");
});
