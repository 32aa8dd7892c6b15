import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { auditInstance } from "../../../src/helper/audit/audit.ts";
import { expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { Disk } from "./disk.ts";

const disk = new Disk();
let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon({ dataRoot: join(disk.path, "data") });
  await loadBusybox(daemon);
  for (const name of ["one", "two"]) await cli("create", "--name", name, "--network", "none", busybox, "echo", name);
  await cli("volume", "create", "kept");
  await cli("network", "create", "net");
});
afterAll(async () => {
  disk.free();
  await expectClean(daemon);
  await daemon[Symbol.asyncDispose]();
  disk[Symbol.dispose]();
});

const labels = { long: "x".repeat(200_000) };
/** What takes room in the records, each with the list that shows it. */
const makers: readonly { readonly list: readonly string[]; readonly make: (name: string) => readonly [path: string, body?: object] }[] = [
  { list: ["ps", "-a", "--format", "{{.Names}}"], make: (name) => [`/containers/create?name=${name}`, { Image: busybox, Labels: labels }] },
  { list: ["volume", "ls", "-q"], make: (name) => ["/volumes/create", { Name: name, Labels: labels }] },
  { list: ["network", "ls", "--format", "{{.Name}}"], make: (name) => ["/networks/create", { Name: name, Labels: labels }] },
  { list: ["images", "--format", "{{.Repository}}"], make: (name) => [`/images/${busybox}/tag?repo=${name}&tag=1`] },
];
const names = async (list: readonly string[]): Promise<string[]> => (await cli(...list)).stdout.split("\n").filter(Boolean).sort();

test("what is refused on a full disk has not happened and what is answered has, also after a kill (G4)", async () => {
  const expected = await Promise.all(makers.map(({ list }) => names(list)));
  disk.fill();
  let refusals = 0;
  for (let round = 0; round < 300 && refusals < 20; round++) {
    for (const [index, { make }] of makers.entries()) {
      const { status, text } = await daemon.request("POST", ...make(`more-${round}`));
      if (status < 400) expected[index]?.push(`more-${round}`);
      else {
        refusals++;
        expect(text).toMatch(/no space left on device/i);
      }
    }
  }
  expect(refusals).toBeGreaterThanOrEqual(20);
  const expectAll = async (): Promise<void> => {
    for (const [index, { list }] of makers.entries()) expect(await names(list)).toEqual((expected[index] ?? []).sort());
  };
  await expectAll();
  // What gives space back is recorded all the same.
  expect((await cli("rm", "one")).stdout).toBe("one\n");
  expected[0] = (expected[0] ?? []).filter((name) => name !== "one");
  await daemon.kill();
  await daemon.start();
  await expectAll();
  disk.free();
  expect(await auditInstance({ dataRoot: daemon.dataRoot, execRoot: daemon.execRoot, deep: true, tell: () => {} })).toEqual([]);
  expect((await cli("start", "-a", "two")).stdout).toBe("two\n");
  expect((await cli("create", "--name", "again", busybox)).code).toBe(0);
}, 120_000);
