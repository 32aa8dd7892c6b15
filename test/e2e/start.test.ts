import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { daemonPid, stopInBackground } from "../../scripts/lib/background-daemon.ts";
import { placeOf } from "../../scripts/lib/place.ts";
import { removeInstance } from "../../scripts/lib/remove-instance.ts";
import { complaintsAbout, unitFor } from "../../scripts/lib/systemd.ts";
import { expectClean } from "../support/audit.ts";

const root = resolve(import.meta.dir, "../..");
const execRoot = `/run/gantry-start-${process.pid}`;
const environment = { GANTRY_DATA_ROOT: mkdtempSync(join(tmpdir(), "gantry-start-")), GANTRY_EXEC_ROOT: execRoot };
const place = placeOf(environment);

interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

async function run(...command: readonly string[]): Promise<Finished> {
  const child = Bun.spawn([...command], { cwd: root, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } });
  const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { stdout, stderr, code };
}

const npmStart = (): Promise<Finished> => run(process.execPath, "scripts/start.ts");
const npmStop = (): Promise<Finished> => run(process.execPath, "scripts/stop.ts");
const gantry = (...args: readonly string[]): Promise<Finished> => run("dist/gantry", "-H", place.host, ...args);

afterAll(async () => {
  await gantry("rm", "-f", "survivor");
  await stopInBackground(place);
  removeInstance(place);
});

describe("npm start", () => {
  let first: Finished;
  beforeAll(async () => void (first = await npmStart()), 120_000);

  test("ends with a first container and says what to try next", () => {
    expect(first.stderr).not.toContain("failed");
    expect(first.stdout).toContain("Hello from a container.");
    expect(first.stdout).toContain(`export DOCKER_HOST=${place.host}`);
    expect(first.code).toBe(0);
  });

  test("leaves a daemon that nobody's end takes along", () => {
    const pid = daemonPid(place) ?? 0;
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const session = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3];
    expect(session).toBe(String(pid));
  });

  test("leaves a daemon that is running as it is", async () => {
    const pid = daemonPid(place);
    const second = await npmStart();
    expect(second.stdout).toContain("Hello from a container.");
    // Another test may have built a newer executable meanwhile: then it was replaced, and says so.
    if (!second.stderr.includes("older build")) expect(daemonPid(place)).toBe(pid);
  }, 60_000);
});

describe("npm run stop", () => {
  test("ends the daemon, its containers stay and are there after the next start", async () => {
    expect((await gantry("run", "-d", "--name", "survivor", "busybox", "sleep", "100000")).code).toBe(0);
    expect((await npmStop()).code).toBe(0);
    expect(daemonPid(place)).toBeUndefined();
    await expectClean(place);
    await npmStart();
    expect((await gantry("inspect", "--format", "{{.State.Status}}", "survivor")).stdout).toBe("running\n");
    expect((await gantry("rm", "-f", "survivor")).code).toBe(0);
  }, 60_000);

  test("says so when no daemon runs", async () => {
    await npmStop();
    expect(await npmStop()).toEqual({ stdout: "", stderr: `no daemon runs at ${place.host}\n`, code: 0 });
    await expectClean(place);
  }, 60_000);
});

test("GANTRY_HOST must be a unix socket", async () => {
  expect(() => placeOf({ GANTRY_HOST: "tcp://0.0.0.0:2375" })).toThrow("must be a unix socket");
});

describe("the unit for systemd", () => {
  test("starts the executable that was built, hands the control groups over and leaves containers alone", () => {
    const unit = unitFor("/somewhere/dist/gantry");
    expect(unit).toContain("\nExecStart=/somewhere/dist/gantry daemon\n");
    for (const line of ["Delegate=yes", "KillMode=process", "UnsetEnvironment=BUN_OPTIONS BUN_BE_BUN"])
      expect(unit).toContain(`\n${line}\n`);
  });

  test.skipIf(!Bun.which("systemd-analyze"))("is accepted by systemd-analyze, and a damaged one is not", async () => {
    expect(await complaintsAbout(unitFor(resolve(root, "dist/gantry")))).toBeUndefined();
    expect(await complaintsAbout(unitFor("/nonexistent/gantry"))).toContain("not executable");
  });
});
