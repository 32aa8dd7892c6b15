import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StandInRegistry } from "../conformance/stand-in-registry.ts";
import { endClean } from "../support/audit.ts";
import { pathWithHelper } from "../support/credential-helper.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { loadBusybox } from "../support/images.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { runInTerminal } from "../support/terminal.ts";

// What a log-in leaves on disk, and which log-in an image is pushed with.
const program = [process.execPath, join(import.meta.dir, "../../src/main.ts")];
const password = "wonder-land";
const pair = Buffer.from(`alice:${password}`).toString("base64");
let daemon: TestDaemon;
let registry: StandInRegistry;

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  registry = await StandInRegistry.start("basic");
}, 60_000);
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await endClean(daemon);
});

interface Home {
  readonly folder: string;
  run(words: string, options?: { readonly stdin?: string; readonly path?: string }): Promise<{ out: string; err: string; code: number }>;
  config(): Readonly<Record<string, unknown>>;
}

/** A person with a home of their own. */
function home(config?: object): Home {
  const folder = scratchFolder("login");
  const file = join(folder, ".docker/config.json");
  mkdirSync(join(folder, ".docker"));
  if (config) writeFileSync(file, JSON.stringify(config));
  return {
    folder,
    async run(words, { stdin, path } = {}) {
      const child = Bun.spawn([...program, ...words.split(" ")], {
        stdin: stdin === undefined ? "ignore" : new Blob([stdin]),
        stdout: "pipe",
        stderr: "pipe",
        env: { PATH: path ?? process.env["PATH"] ?? "", HOME: folder, DOCKER_HOST: daemon.host },
      });
      const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
      return { out, err, code };
    },
    config: () => JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>,
  };
}

describe("config.json", () => {
  test("a log-in is added, everything else stays, and nobody else may read it", async () => {
    const me = home({ psFormat: "table {{.ID}}", auths: { "other.example": { auth: "eDp5" } }, unknown: { a: 1 } });
    const { code } = await me.run(`login -u alice --password-stdin ${registry.host}`, { stdin: password });
    expect(code).toBe(0);
    expect(me.config()).toEqual({
      psFormat: "table {{.ID}}",
      auths: { "other.example": { auth: "eDp5" }, [registry.host]: { auth: pair } },
      unknown: { a: 1 },
    });
    await me.run(`logout ${registry.host}`);
    expect(me.config()["auths"]).toEqual({ "other.example": { auth: "eDp5" } });
    const stranger = home();
    await stranger.run(`login -u alice --password-stdin ${registry.host}`, { stdin: password });
    expect(statSync(join(stranger.folder, ".docker/config.json")).mode & 0o777).toBe(0o600);
  });

  test("a link to it stays a link", async () => {
    const me = home();
    const target = join(me.folder, "real.json");
    writeFileSync(target, "{}");
    symlinkSync(target, join(me.folder, ".docker/config.json"));
    await me.run(`login -u alice --password-stdin ${registry.host}`, { stdin: password });
    expect(readFileSync(target, "utf8")).toContain(pair);
  });

  test("one that is no JSON is not written over", async () => {
    const me = home();
    const file = join(me.folder, ".docker/config.json");
    writeFileSync(file, "{ half");
    const { code, err } = await me.run(`login -u alice --password-stdin ${registry.host}`, { stdin: password });
    expect({ code, told: err.includes("Error saving credentials: ") }).toEqual({ code: 1, told: true });
    expect(readFileSync(file, "utf8")).toBe("{ half");
  });

  test("a wrong password is not kept, and told nowhere (B7)", async () => {
    const me = home();
    const { code, out, err } = await me.run(`login -u alice --password-stdin ${registry.host}`, { stdin: "geheimnis" });
    expect(code).toBe(1);
    expect(() => me.config()).toThrow();
    for (const text of [out, err, daemon.log()]) expect(text).not.toContain("geheimnis");
  });
});

test("one host has several log-ins: the one whose path fits best is used", async () => {
  const me = home({ auths: { [registry.host]: { auth: Buffer.from("bob:wrong").toString("base64") } } });
  expect((await me.run(`login -u alice --password-stdin ${registry.host}/team`, { stdin: password })).code).toBe(0);
  expect(Object.keys(me.config()["auths"] as object).sort()).toEqual([registry.host, `${registry.host}/team`]);
  for (const name of ["team/app", "other/app"]) await me.run(`tag busybox ${registry.host}/${name}:1`);
  expect((await me.run(`push -q ${registry.host}/team/app:1`)).code).toBe(0);
  expect(await me.run(`push -q ${registry.host}/other/app:1`)).toMatchObject({ code: 1, err: "unauthorized: authentication required\n" });
  await me.run(`logout ${registry.host}/team`);
  expect((await me.run(`push -q ${registry.host}/team/app:1`)).code).toBe(1);
});

describe("a credential helper", () => {
  test("keeps the password, which is in no argument and not in config.json (REG-17)", async () => {
    const me = home({ credsStore: "gantry-test" });
    const path = pathWithHelper(me.folder, "gantry-test");
    await me.run(`login -u alice --password-stdin ${registry.host}`, { stdin: password, path });
    expect(me.config()).toEqual({ credsStore: "gantry-test", auths: { [registry.host]: {} } });
    await me.run(`tag busybox ${registry.host}/helped:1`, { path });
    expect((await me.run(`push -q ${registry.host}/helped:1`, { path })).code).toBe(0);
    await me.run(`logout ${registry.host}`, { path });
    expect((await me.run(`push -q ${registry.host}/helped:1`, { path })).code).toBe(1);
    expect(new Set(readFileSync(join(me.folder, "called"), "utf8").trim().split("\n"))).toEqual(new Set(["store", "get", "erase"]));
    expect(me.config()["auths"]).toEqual({});
  });
});

test("on a terminal name and password are asked for, the password is not shown, and the terminal shows keys again afterwards", async () => {
  const me = home();
  const command = `stty -a | grep -o '[-]*echo ' | head -1; ${program.join(" ")} -H ${daemon.host} login ${registry.host}; stty -a | grep -o '[-]*echo ' | head -1; echo over`;
  const session = await runInTerminal(["env", `HOME=${me.folder}`, "bash", "-c", command], { columns: 100, rows: 30 });
  await session.until("Username: ");
  session.type("alice\r");
  await session.until("Password: ");
  await Bun.sleep(100);
  session.type(`${password}\r`);
  await session.until("over");
  expect(session.text()).toContain("Login Succeeded");
  expect(session.text()).not.toContain(password);
  expect(session.text().match(/-?echo /g)).toEqual(["echo ", "echo "]);
});
