import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultSeccompProfile } from "../../../src/drivers/runtime/seccomp/default-profile.ts";
import { withoutProjectChanges } from "../../../src/drivers/runtime/seccomp/project-guard.ts";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { escapes, harmless, narrowEscapes, writeEscape } from "../../support/project-escape.ts";

const EPERM = 1;
const folder = mkdtempSync(join(tmpdir(), "project-guard-"));
const attempts = { harmless, ...escapes, ...narrowEscapes };
const programs = Object.keys(attempts).map((name) => name.replaceAll(/\W/g, "-"));
let daemon: TestDaemon;

beforeAll(async () => {
  for (const [name, request] of Object.entries(attempts)) writeEscape(join(folder, name.replaceAll(/\W/g, "-")), request);
  const base = defaultSeccompProfile(["CAP_CHOWN", "CAP_FOWNER"]);
  writeFileSync(join(folder, "plain.json"), JSON.stringify(base));
  writeFileSync(join(folder, "guarded.json"), JSON.stringify(withoutProjectChanges(base)));
  writeFileSync(
    join(folder, "permissive.json"),
    JSON.stringify(withoutProjectChanges({ defaultAction: "SCMP_ACT_ALLOW", architectures: base.architectures ?? [], syscalls: [] })),
  );
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
  rmSync(folder, { recursive: true });
});

/** What each attempt in a container's own folder ends with. */
async function outcomes(runtime: string, profile: string): Promise<Record<string, number>> {
  // A folder of the image has no flags on every file system.
  const script = `mkdir own; cd own; ${programs.map((name) => `/escapes/${name}; echo $?`).join("; ")}`;
  const flags = ["--runtime", runtime, "--network", "none", "-v", `${folder}:/escapes:ro`, "-w", "/root"];
  const security = `seccomp=${join(folder, `${profile}.json`)}`;
  const { stdout, stderr } = await docker(daemon.host, "run", "--rm", ...flags, "--security-opt", security, busybox, "sh", "-c", script);
  expect(stderr).toBe("");
  const codes = stdout.trim().split("\n").map(Number);
  return Object.fromEntries(programs.map((name, index) => [name, codes[index] ?? -1]));
}

// What the runtimes make of the rules, on any file system: where there are no projects, a request is let through to the kernel all the same.
describe.each(["crun", "runc"].filter((name) => existsSync(`/usr/bin/${name}`) || existsSync(`/usr/sbin/${name}`)))(
  "under %s",
  (runtime) => {
    test.each(["guarded", "permissive"])("D2: a %s profile refuses every request that changes a project, and no other", async (profile) => {
      // Twice: a profile is compiled for the first, and kept for the second.
      for (let time = 0; time < 2; time++) {
        const { harmless: other, ...refused } = await outcomes(runtime, profile);
        expect(other).toBe(0);
        expect(refused).toEqual(Object.fromEntries(Object.keys(refused).map((name) => [name, EPERM])));
      }
    });

    test("the same profile without the guard lets them through", async () => {
      const codes = await outcomes(runtime, "plain");
      expect(Object.entries(codes).filter(([, code]) => code === EPERM)).toEqual([]);
    });
  },
);
