import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import net from "node:net";
import { until } from "../../support/until.ts";
import { BareDaemon } from "./bare-daemon.ts";

const ping = async (options: { readonly unix: string } | { readonly port: number }): Promise<string> => {
  const url = "port" in options ? `http://127.0.0.1:${options.port}/_ping` : "http://d/_ping";
  return (await fetch(url, "unix" in options ? { unix: options.unix } : {})).text();
};

describe("-H", () => {
  test("several times: unix sockets and tcp on loopback serve at once, and the sockets' files go with the daemon", async () => {
    await using daemon = new BareDaemon();
    const [one, two] = [`${daemon.folder}/one.sock`, `${daemon.folder}/deep/er/two.sock`];
    await daemon.start(["-H", `unix://${one}`, "-H", `unix://${two}`, "-H", "tcp://127.0.0.1:0"], { listeners: 3 });
    expect(daemon.addresses().slice(0, 2)).toEqual([`unix://${one}`, `unix://${two}`]);
    for (const place of [{ unix: one }, { unix: two }, { port: daemon.port() }]) expect(await ping(place)).toBe("OK");
    await daemon.stop();
    for (const path of [one, two]) expect(() => statSync(path)).toThrow("ENOENT");
  }, 30_000);

  const activates = Bun.which("systemd-socket-activate") !== null;
  test.skipIf(!activates)(
    "fd:// takes over sockets of the service manager, and says so when there is none (skipped: systemd-socket-activate is not installed)",
    async () => {
      await using daemon = new BareDaemon();
      expect(await daemon.fail(["-H", "fd://"])).toMatchObject({
        code: 1,
        output: expect.stringContaining("no sockets found via socket activation"),
      });
      const path = `${daemon.folder}/activated.sock`;
      const before = ["systemd-socket-activate", "-l", path, "-E", "PATH"];
      const starting = daemon.start(["-H", "fd://"], { before });
      // The service manager starts the daemon when the first client comes, whose request waits in the socket.
      await until(() => statSync(path, { throwIfNoEntry: false }) !== undefined);
      expect(await ping({ unix: path })).toBe("OK");
      await starting;
      expect(daemon.addresses()).toEqual(["fd://3"]);
      await daemon.stop();
      // What is handed over on TCP must not be open to the world either.
      const port = freePort();
      const refused = Bun.spawn(daemon.command(["-H", "fd://"], ["systemd-socket-activate", "-l", `0.0.0.0:${port}`, "-E", "PATH"]), {
        stdio: ["ignore", "ignore", "pipe"],
      });
      await until(() => isRefusedNoMore(port));
      expect(await new Response(refused.stderr).text()).toContain("only Unix sockets and loopback are supported");
      expect(await refused.exited).toBe(1);
    },
    30_000,
  );

  test("that cannot be ends the start with a line that says why", async () => {
    await using daemon = new BareDaemon();
    for (const [host, message] of [
      ["nonsense", "invalid bind address (nonsense)"],
      ["http://127.0.0.1:1", "invalid bind address (http://127.0.0.1:1)"],
      ["unix://relative", "invalid bind address (unix://relative)"],
      ["unix:///etc/passwd", "a file that is no socket stands there"],
      ["tcp://127.0.0.1:99999", "invalid bind address (tcp://127.0.0.1:99999)"],
    ] as const)
      expect(await daemon.fail(["-H", host])).toMatchObject({ code: 1, output: expect.stringContaining(message) });
  }, 30_000);

  test("a socket on which another daemon listens is left to it", async () => {
    await using daemon = new BareDaemon();
    const path = `${daemon.folder}/taken.sock`;
    const other = net.createServer((socket) => socket.end()).listen(path);
    try {
      expect(await daemon.fail(["-H", `unix://${path}`])).toMatchObject({
        code: 1,
        output: expect.stringContaining("another process listens on it"),
      });
      expect(statSync(path).isSocket()).toBe(true);
    } finally {
      other.close();
    }
  }, 30_000);
});

describe("a unix socket (E12)", () => {
  test("has mode 0660 and the group that --group names; an unknown group ends the start", async () => {
    await using daemon = new BareDaemon();
    const path = `${daemon.folder}/g.sock`;
    expect(await daemon.fail(["-H", `unix://${path}`, "--group", "no-such-group"])).toMatchObject({
      code: 1,
      output: expect.stringContaining("group no-such-group not found"),
    });
    await daemon.start(["-H", `unix://${path}`, "--group", "daemon"]);
    const { mode, uid, gid } = statSync(path);
    expect({ mode: mode & 0o777, uid, gid }).toEqual({ mode: 0o660, uid: 0, gid: groupId("daemon") });
    // A member passes through the folders above it, others are turned away by the socket.
    expect(pingAs(path, ["--reuid=65534", `--regid=${gid}`, "--clear-groups"], daemon.folder)).toContain("OK");
    expect(pingAs(path, ["--reuid=65534", "--regid=65534", "--clear-groups"], daemon.folder)).toContain("Permission denied");
  }, 30_000);
});

describe("tcp without TLS (E13)", () => {
  test("on an address that others reach is refused, with the option that allows it", async () => {
    await using daemon = new BareDaemon();
    for (const host of ["0.0.0.0", "[::]", "engine.example"]) {
      const { code, output } = await daemon.fail(["-H", `tcp://${host}:0`]);
      expect(code).toBe(1);
      expect(output).toContain(`refusing to listen on tcp://${host.replace(/[[\]]/g, "")} without verified TLS`);
      expect(output).toContain("--allow-insecure-tcp");
    }
  }, 30_000);

  test("--allow-insecure-tcp serves, and info warns of it", async () => {
    await using daemon = new BareDaemon();
    await daemon.start(["-H", "tcp://0.0.0.0:0", "--allow-insecure-tcp"]);
    const info = (await (await fetch(`http://127.0.0.1:${daemon.port()}/info`)).json()) as { readonly Warnings: readonly string[] };
    expect(info.Warnings.join("\n")).toMatch(/API is accessible on http:\/\/0\.0\.0\.0:0 without encryption/);
  }, 30_000);
});

function groupId(name: string): number {
  return Number(Bun.spawnSync(["getent", "group", name]).stdout.toString().split(":")[2]);
}

/** What somebody else gets at a socket. */
function pingAs(path: string, identity: readonly string[], folder: string): string {
  Bun.spawnSync(["chmod", "755", folder]);
  const command = `curl -s --unix-socket ${path} http://d/_ping || test -w ${path} || echo Permission denied`;
  const { stdout, stderr } = Bun.spawnSync(["setpriv", ...identity, "sh", "-c", command]);
  return stdout.toString() + stderr.toString();
}

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

/** Connects once something listens; the connection is what starts an activated daemon. */
function isRefusedNoMore(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1", () => {
      socket.end();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
