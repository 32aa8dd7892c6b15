import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { until } from "../../support/until.ts";
import { BareDaemon } from "../api/bare-daemon.ts";

const socketOf = (daemon: BareDaemon): string => `${daemon.execRoot}/gantry.sock`;

async function api(daemon: BareDaemon, path: string): Promise<string> {
  return (await fetch(`http://d${path}`, { unix: socketOf(daemon) })).text();
}

interface Info {
  readonly Debug: boolean;
  readonly Labels: readonly string[];
  readonly LiveRestoreEnabled: boolean;
  readonly LoggingDriver: string;
  readonly RegistryConfig: { readonly Mirrors: readonly string[] | null };
  readonly Warnings: readonly string[] | null;
  readonly ServerVersion: string;
  readonly Runtimes: Readonly<Record<string, unknown>>;
}
const info = async (daemon: BareDaemon): Promise<Info> => JSON.parse(await api(daemon, "/info")) as Info;

describe("--validate (ENG-63)", () => {
  test("says that a configuration is right, and starts nothing", async () => {
    await using daemon = new BareDaemon();
    const file = daemon.configure({ debug: true, labels: ["a=b"], "log-opts": { "max-size": "1m" }, hosts: ["tcp://127.0.0.1:0"] });
    expect(await daemon.fail(["--validate", `--config-file=${file}`])).toEqual({ code: 0, output: "configuration OK\n" });
    expect(existsSync(daemon.dataRoot)).toBe(false);
  });

  test.each<[string, unknown, readonly string[], string]>([
    [
      "an unknown key",
      { debug: true, nonsense: 1, other: {} },
      [],
      "the following directives don't match any configuration option: nonsense, other",
    ],
    ["a value of another type", { debug: "yes" }, [], '"debug" has the wrong type'],
    ["a value that is none", { "log-level": "loud" }, [], 'invalid log-level "loud"'],
    ["the same setting as a flag", { debug: true }, ["--debug"], "both as a flag and in the file: debug"],
    ["half a file (F12)", '{"debug": tr', [], "daemon.json"],
    ["garbage (F12)", "garbage\n", [], "daemon.json"],
    ["a list", "[]", [], "it does not hold a JSON object"],
  ])("refuses %s, and so does a start", async (_what, settings, flags, message) => {
    await using daemon = new BareDaemon();
    const file = daemon.configure(settings);
    for (const validate of [["--validate"], []]) {
      const { code, output } = await daemon.fail([...validate, ...flags, `--config-file=${file}`]);
      expect({ code, validate }).toEqual({ code: 1, validate });
      expect(output).toContain(message);
      expect(output).toContain(flags.length > 0 || message.startsWith("invalid") ? message : file);
    }
  });

  test("names a file that is missing (F12), and takes an empty one for no settings", async () => {
    await using daemon = new BareDaemon();
    const file = daemon.configure("");
    expect((await daemon.fail(["--validate", `--config-file=${file}`])).code).toBe(0);
    rmSync(file);
    const { code, output } = await daemon.fail([`--config-file=${file}`]);
    expect(code).toBe(1);
    expect(output).toContain(file);
  });
});

describe("SIGHUP (ENG-63)", () => {
  test("takes over what may change, and says so by an event; what is wrong changes nothing", async () => {
    await using daemon = new BareDaemon();
    const file = daemon.configure({ labels: ["a=1"], "log-driver": "json-file" });
    await daemon.start([`--config-file=${file}`]);
    expect(await info(daemon)).toMatchObject({ Debug: false, Labels: ["a=1"], LiveRestoreEnabled: true });
    const since = Math.floor(Date.now() / 1000);

    daemon.configure({
      labels: ["b=2"],
      debug: true,
      "live-restore": false,
      "registry-mirrors": ["https://mirror.example"],
      "log-driver": "none",
    });
    daemon.signal("SIGHUP");
    await until(() => daemon.output.includes("configuration reloaded"));
    const changed = {
      Debug: true,
      Labels: ["b=2"],
      LiveRestoreEnabled: false,
      RegistryConfig: { Mirrors: ["https://mirror.example/"] },
      // Containers are made with it: it stays until the next start.
      LoggingDriver: "json-file",
    };
    const after = await info(daemon);
    expect({
      ...after,
      RegistryConfig: { Mirrors: after.RegistryConfig.Mirrors?.map((mirror) => mirror.replace(/\/?$/, "/")) },
    }).toMatchObject(changed);
    const events = await api(daemon, `/events?since=${since}&until=${since + 1}&filters=${encodeURIComponent('{"type":["daemon"]}')}`);
    expect(events).toContain('"Action":"reload"');
    expect(events).toContain('"labels":"[\\"b=2\\"]"');

    for (const wrong of [{ nonsense: 1 }, "{", { "registry-mirrors": ["ftp://x"] }, { debug: 1 }]) {
      const told = daemon.output.split("configuration not reloaded").length;
      daemon.configure(wrong);
      daemon.signal("SIGHUP");
      await until(() => daemon.output.split("configuration not reloaded").length > told);
    }
    expect((await info(daemon)).Labels).toEqual(["b=2"]);
    expect(await api(daemon, "/_ping")).toBe("OK");
  }, 30_000);
});

test("a pid file that names another process that lives does not stop the start (F11)", async () => {
  await using daemon = new BareDaemon();
  await daemon.start([]);
  const own = `${daemon.execRoot}/gantry.pid`;
  expect(readFileSync(own, "utf8").trim()).toBe(String(daemon.pid));
  await daemon.stop();
  for (const path of [own, `${daemon.folder}/other.pid`]) await Bun.write(path, `${process.pid}\n`);
  await daemon.start(["--pidfile", `${daemon.folder}/other.pid`]);
  expect(await api(daemon, "/_ping")).toBe("OK");
  for (const path of [own, `${daemon.folder}/other.pid`]) expect(readFileSync(path, "utf8").trim()).toBe(String(daemon.pid));
}, 30_000);

test("an old runtime is warned about by info, by the log and by doctor, and refused by none (D10)", async () => {
  await using daemon = new BareDaemon();
  const path = `${daemon.folder}/bin`;
  // As crun tells its version; asked for anything else it is the real one.
  await Bun.write(
    `${path}/crun`,
    `#!/bin/sh\n[ "$1" = --version ] && echo "crun version $(cat ${path}/version)" && exit\nexec ${Bun.which("crun")} "$@"\n`,
  );
  Bun.spawnSync(["chmod", "+x", `${path}/crun`]);
  const asked = { PATH: `${path}:${process.env["PATH"]}` };
  for (const [version, isOld] of [
    ["1.0", true],
    ["1.26.1", false],
  ] as const) {
    await Bun.write(`${path}/version`, version);
    await daemon.start([], { environment: asked });
    const warnings = ((await info(daemon)).Warnings ?? []).filter((line) => line.includes("crun"));
    expect({ version, warned: warnings.some((line) => line.includes("1.25") && line.includes("CVE-2025-24965")) }).toEqual({
      version,
      warned: isOld,
    });
    expect(daemon.output.includes(`crun ${version} is older than 1.25`)).toBe(isOld);
    await daemon.stop();
    const doctor = Bun.spawnSync([process.execPath, `${import.meta.dir}/../../../src/main.ts`, "doctor", "--format", "json"], {
      env: { ...process.env, ...asked },
    });
    const check = (JSON.parse(doctor.stdout.toString()) as { name: string; status: string }[]).find(({ name }) => name === "crun");
    expect({ version, status: check?.status }).toEqual({ version, status: isOld ? "warn" : "ok" });
  }
}, 30_000);
