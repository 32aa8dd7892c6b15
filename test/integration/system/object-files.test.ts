import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { auditInstance } from "../../../src/helper/audit/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";
import { dockerArchive, image } from "../image/fixtures.ts";
import { damages, harm, type Damage } from "./damage.ts";

/** Requirement F12, for files that belong to one image or one container: each is the only damaged file of its object. */
let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  await cli("run", "-d", "--name", "other", "--network", "none", busybox, "sleep", "1000");
});
afterAll(() => daemon[Symbol.asyncDispose]());

const hex = (digest: string): string => digest.slice(7);
const program = readFileSync(Bun.which("busybox") ?? "/bin/busybox");

interface Victim {
  readonly what: string;
  readonly tag: string;
  readonly made: ReturnType<typeof image>;
  readonly path: string;
}

/** One image for each kind of file, with a layer of its own. */
const victims = (
  [
    ["a layer's record", "record", (_made, layer) => `layers/chains/${layer}/layer.json`],
    ["a layer's index", "index", (_made, layer) => `layers/chains/${layer}/index`],
    ["a layer's archive", "archive", (_made, layer) => `layers/tars/${layer}`],
    ["the config of an image", "config", (made) => `content/blobs/sha256/${hex(made.config.digest)}`],
    ["the manifest of an image", "manifest", (made) => `content/blobs/sha256/${hex(made.manifest.digest)}`],
  ] satisfies [string, string, (made: Victim["made"], layer: string) => string][]
).map(([what, name, path]): Victim => {
  const made = image([{ "bin/": "", "bin/busybox": program, marker: name }], { compress: "none" });
  return { what, tag: `${name}:1`, made, path: path(made, hex(made.layers[0]?.diffId ?? "")) };
});

async function load({ made, tag }: Victim): Promise<string> {
  const response = await fetch("http://d/images/load", { unix: daemon.socket, method: "POST", body: dockerArchive(made, [tag]) });
  return response.text();
}

const run = ({ tag }: Victim) => cli("run", "--rm", "--network", "none", tag, "/bin/busybox", "cat", "/marker");
const background = (name: string, script: string) => cli("run", "-d", "--name", name, "--network", "none", busybox, "sh", "-c", script);
const idOf = async (name: string) => (await cli("inspect", name, "--format", "{{.Id}}")).stdout.trim();

const containers = ["spooled", "followed", "ended"];
const waiting = "seq 1 1000; while ! [ -e /more ]; do usleep 10000; done; echo last; exit 4";

/** Makes the objects, kills the daemon, damages one file of each, and starts it again. */
async function prepare(damage: Damage): Promise<void> {
  for (const victim of victims) await load(victim);
  for (const name of ["spooled", "followed"]) {
    await background(name, waiting);
    await until(async () => (await cli("logs", name)).stdout.endsWith("1000\n"));
  }
  await background("ended", "usleep 2000000; exit 9");
  const [spooled, followed, ended] = await Promise.all(containers.map(idOf));
  await daemon.kill();
  const exitFile = join(daemon.execRoot, "exits/crun", ended ?? "");
  await until(() => existsSync(exitFile));
  const files = [...victims.map(({ path }) => path), `containers/${spooled}/spool/log`, `containers/${followed}/logs/cursor`];
  for (const path of [...files.map((path) => join(daemon.dataRoot, path)), exitFile]) harm(path, damage);
  await daemon.start();
}

describe.each(damages)("a daemon that finds %s (F12)", (damage) => {
  let mark = 0;
  let audited = "";

  beforeAll(async () => {
    mark = daemon.log().length;
    await prepare(damage);
    audited = JSON.stringify(await auditInstance({ dataRoot: daemon.dataRoot, execRoot: daemon.execRoot, deep: true, tell: () => {} }));
  }, 30_000);
  afterAll(async () => {
    await cli("rm", "-f", ...containers);
    await cli("rmi", "-f", ...victims.map(({ tag }) => tag));
  });

  test.each(victims.map((victim) => [victim.what, victim] as const))(
    "%s names it, and the image is whole after it is removed and loaded again",
    async (_what, victim) => {
      const { tag, made, path } = victim;
      const { code, stdout, stderr } = await run(victim);
      // Whole, or refused and told by the log or by an audit: nothing runs that is not what was loaded.
      const name = path.startsWith("layers") ? hex(made.layers[0]?.diffId ?? "") : basename(path);
      if (code === 0) expect(stdout).toBe(tag.replace(":1", ""));
      else expect(stderr + daemon.log().slice(mark) + audited).toContain(name);
      expect((await cli("images", "-q", "--no-trunc", tag)).stdout).toBe(`${made.config.digest}\n`);
      expect((await cli("rmi", tag)).code).toBe(0);
      expect(await load(victim)).toContain(`Loaded image: ${tag}`);
      expect((await run(victim)).stdout).toBe(tag.replace(":1", ""));
    },
  );

  test("the spool of a container that runs logs what it prints from then on", async () => {
    await cli("exec", "spooled", "touch", "/more");
    // Its monitor writes into a file that nobody finds when it is missing: what it prints is lost until it starts again.
    if (damage !== "missing") await until(async () => (await cli("logs", "spooled")).stdout.endsWith("last\n"));
    expect((await cli("wait", "spooled")).stdout).toBe("4\n");
    await cli("start", "-a", "spooled");
    expect((await cli("logs", "--tail", "1", "spooled")).stdout).toBe("last\n");
  });

  test("the log's cursor of a container that runs leaves out nothing", async () => {
    await cli("exec", "followed", "touch", "/more");
    expect((await cli("wait", "followed")).stdout).toBe("4\n");
    const lines = (await cli("logs", "followed")).stdout.split("\n").filter(Boolean);
    expect(lines.at(-1)).toBe("last");
    expect(new Set(lines).size).toBe(1001);
  });

  test("the exit file of a container that has ended meanwhile knows its end", async () => {
    // conmon has written the code in two places.
    expect((await cli("inspect", "ended", "--format", "{{.State.Status}} {{.State.ExitCode}}")).stdout).toBe("exited 9\n");
    expect((await cli("rm", "ended")).code).toBe(0);
  });

  test("any of these has all other objects intact", async () => {
    expect((await cli("exec", "other", "echo", "alive")).stdout).toBe("alive\n");
    expect((await cli("run", "--rm", "--network", "none", busybox, "echo", "whole")).stdout).toBe("whole\n");
  });
});
