import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import net from "node:net";
import { expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await expectClean(daemon);
  await daemon[Symbol.asyncDispose]();
});

async function create(fields: object, name = ""): Promise<{ readonly status: number; readonly message: string }> {
  const { status, body } = await daemon.request("POST", `/containers/create${name}`, { Image: busybox, ...fields });
  return { status, message: (body as { message?: string }).message ?? "" };
}

const bind = (binding: object, port = "80/tcp") => ({ ExposedPorts: { [port]: {} }, HostConfig: { PortBindings: { [port]: [binding] } } });

describe("a container's request is refused as the caller's fault, and nothing is made:", () => {
  test.each(["999.1.1.1", "1.2.3", "0x7f.1", "010.0.0.1", "localhost", "127.0.0.1 ", "1.2.3.4/24", "::g", "fe80::1%eth0", "[127.0.0.1"])(
    "a port published on %p (E3)",
    async (HostIp) => {
      expect(await create(bind({ HostIp, HostPort: "0" }))).toEqual({ status: 400, message: `invalid IP address: ${HostIp}` });
    },
  );

  test.each(["70000", "abc", "-1", "80-70", "1-2-3", "80 ", "1e3", "0x50"])("a host's port %p (E4)", async (HostPort) => {
    expect(await create(bind({ HostPort }))).toMatchObject({ status: 400, message: expect.stringContaining("invalid port specification") });
  });

  test.each(["70000/tcp", "80/xyz", "abc/tcp", "/tcp", "80/", "-1/tcp", "80-70/tcp"])("a container's port %p (E4)", async (port) => {
    for (const fields of [bind({}, port), { ExposedPorts: { [port]: {} } }])
      expect(await create(fields)).toMatchObject({ status: 400, message: expect.stringContaining("invalid port specification") });
  });

  test.each<[string, object]>([
    ["invalid hostname format: a b", { Hostname: "a b" }],
    ["invalid hostname format: ../x", { Hostname: "../x" }],
    ["invalid hostname format: a..b", { Hostname: "a..b" }],
    ["invalid hostname format: a\nb", { Hostname: "a\nb" }],
    [`invalid hostname format: ${"h".repeat(65)}`, { Hostname: "h".repeat(65) }],
    ["invalid domainname format: a b", { Domainname: "a b" }],
    ["Range of blkio weight is from 10 to 1000", { HostConfig: { BlkioWeight: 5 } }],
    ["Range of blkio weight is from 10 to 1000", { HostConfig: { BlkioWeight: 1001 } }],
    ["cannot unmarshal number -1", { HostConfig: { BlkioWeight: -1 } }],
  ])("%s (E4)", async (message, fields) => {
    expect(await create(fields)).toMatchObject({ status: 400, message: expect.stringContaining(message) });
  });

  test("a user namespace that is none (E4)", async () => {
    for (const UsernsMode of ["nonsense", "container:x"]) {
      const { status, message } = await create({ HostConfig: { UsernsMode } });
      expect({ status, message }).toEqual({ status: 400, message: `invalid user namespace mode: ${UsernsMode}` });
    }
  });

  test("and after all of it there is no container", async () => {
    expect((await daemon.request("GET", "/containers/json?all=1")).text.trim()).toBe("[]");
  });
});

/** A request whose path nobody normalises on the way. */
function rawGet(target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = net.connect(daemon.socket, () => socket.write(`GET ${target} HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n`));
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

const badNames = ["", ".", "..", "-x", "_x", "x", "a b", "a/b", "../x", "a\\b", "a\nb", "a\u0000b", "a\u001b[31mb", "ä1", "a:b", "a%2Fb"];

describe("names (E5)", () => {
  test.each(badNames.filter((name) => name !== ""))("%p names no container, neither at create nor by a rename", async (name) => {
    const encoded = encodeURIComponent(name);
    expect(await create({}, `?name=${encoded}`)).toMatchObject({ status: 400, message: expect.stringContaining("Invalid container name") });
    expect((await create({}, "?name=plain")).status).toBe(201);
    expect((await daemon.request("POST", `/containers/plain/rename?name=${encoded}`)).status).toBe(400);
    expect((await daemon.request("DELETE", "/containers/plain")).status).toBe(204);
  });

  test.each(badNames.filter((name) => name !== ""))("%p names no volume, neither alone nor in a mount", async (name) => {
    expect((await daemon.request("POST", "/volumes/create", { Name: name })).status).toBe(400);
    const HostConfig = { Mounts: [{ Type: "volume", Source: name, Target: "/data" }] };
    expect((await create({ HostConfig })).status).toBe(400);
    expect((await daemon.request("GET", "/volumes")).body).toMatchObject({ Volumes: [] });
  });

  test("a name that is a path never leaves its noun, in any spelling", async () => {
    for (const noun of ["containers/%/json", "volumes/%", "networks/%", "images/%/json"])
      for (const name of ["..%2f..%2fetc%2fpasswd", "%2e%2e", "..%5c", "%00", "a%0ab", "%2e%2e%2f%2e%2e%2finfo"]) {
        const answer = await rawGet(`/v1.45/${noun.replace("%", name)}`);
        // A path with dots is sent to its shortest form, as dockerd does: never answered as what it leads to.
        expect({ noun, name, status: answer.slice(9, 12) }).toEqual({ noun, name, status: expect.stringMatching(/^(301|4\d\d)$/) });
      }
  });
});

describe("numbers and times come back as they went in (E7)", () => {
  test("64-bit integers", async () => {
    const memory = "9007199254740993"; // 2^53 + 1
    const body = `{"Image":"${busybox}","HostConfig":{"Memory":${memory},"MemorySwap":-1,"ShmSize":9007199254740995,"NetworkMode":"none"}}`;
    const response = await fetch("http://d/containers/create?name=large", {
      unix: daemon.socket,
      method: "POST",
      body,
      headers: { "Content-Type": "application/json" },
    });
    expect(response.status).toBe(201);
    const { text } = await daemon.request("GET", "/containers/large/json");
    expect(text).toContain(`"Memory":${memory}`);
    expect(text).toContain('"ShmSize":9007199254740995');
    await daemon.kill();
    await daemon.start();
    expect((await daemon.request("GET", "/containers/large/json")).text).toContain(`"Memory":${memory}`);
    await daemon.request("DELETE", "/containers/large");
  });

  test("times are RFC 3339 with the digits of nanoseconds, the zero time for what never was", async () => {
    await create({ Cmd: ["true"], HostConfig: { NetworkMode: "none" } }, "?name=timed");
    const inspect = async () =>
      (await daemon.request("GET", "/containers/timed/json")).body as { Created: string; State: { StartedAt: string; FinishedAt: string } };
    const before = await inspect();
    expect(before.State).toMatchObject({ StartedAt: "0001-01-01T00:00:00Z", FinishedAt: "0001-01-01T00:00:00Z" });
    await daemon.request("POST", "/containers/timed/start");
    await daemon.request("POST", "/containers/timed/wait");
    const after = await inspect();
    for (const time of [after.Created, after.State.StartedAt, after.State.FinishedAt])
      expect(time).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{4,9}Z$/);
    const events = (await daemon.request("GET", `/events?since=1&until=${Math.ceil(Date.now() / 1000)}`)).text.trim().split("\n");
    for (const line of events) {
      const [, seconds, nano] = /"time":(\d+),"timeNano":(\d{19})}$/.exec(line) ?? [];
      expect(nano?.slice(0, 10)).toBe(String(seconds));
    }
    expect(new Set(events.map((line) => /"timeNano":(\d+)/.exec(line)?.[1])).size).toBe(events.length);
    await daemon.request("DELETE", "/containers/timed");
  });
});
