import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const run = (...args: string[]) => cli("run", "--rm", "--network", "none", ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

describe("a named volume", () => {
  test("keeps data between containers and is protected while one has it", async () => {
    expect((await run("-v", "data:/data", busybox, "sh", "-c", "echo kept > /data/file")).code).toBe(0);
    expect((await run("-v", "data:/data:ro", busybox, "cat", "/data/file")).stdout).toBe("kept\n");
    expect((await run("-v", "data:/data:ro", busybox, "touch", "/data/x")).stderr).toContain("Read-only file system");
    await cli("create", "--name", "holder", "-v", "data:/data", busybox);
    const refused = await cli("volume", "rm", "data");
    expect(refused.stderr).toMatch(/remove data: volume is in use - \[[0-9a-f]{64}\]/);
    await cli("rm", "holder");
    expect((await cli("volume", "rm", "data")).stdout).toBe("data\n");
  });

  test("takes over what the image has at its place, once", async () => {
    expect((await run("-v", "copy:/etc", busybox, "ls", "/etc/passwd")).stdout).toBe("/etc/passwd\n");
    await run("-v", "copy:/data", busybox, "rm", "/data/passwd");
    expect((await run("-v", "copy:/etc", busybox, "ls", "/etc/passwd")).code).not.toBe(0);
    await cli("volume", "rm", "copy");
    expect((await run("-v", "empty:/etc:nocopy", busybox, "ls", "/etc/group")).code).not.toBe(0);
    await cli("volume", "rm", "empty");
  });

  test("is made with labels, listed, inspected, and made again without harm", async () => {
    await cli("volume", "create", "--label", "a=b", "labelled");
    expect((await daemon.request("POST", "/volumes/create", { Name: "labelled" })).status).toBe(201);
    expect((await cli("volume", "inspect", "labelled", "--format", "{{.Driver}} {{.Labels.a}} {{.Scope}}")).stdout).toBe("local b local\n");
    expect((await cli("volume", "ls", "-q", "--filter", "label=a=b")).stdout).toBe("labelled\n");
    await cli("volume", "rm", "labelled");
  });
});

describe("an anonymous volume", () => {
  test("goes with rm -v and --rm, and stays with rm", async () => {
    await run("-v", "/anonymous", busybox, "true");
    expect((await cli("volume", "ls", "-q")).stdout).toBe("");
    await cli("run", "--name", "leaves", "-v", "/anonymous", busybox, "true");
    await cli("rm", "leaves");
    expect((await cli("volume", "ls", "-q")).stdout).toMatch(/^[0-9a-f]{64}\n$/);
    expect((await cli("volume", "prune", "-f")).stdout).toContain("Deleted Volumes:");
    expect((await cli("volume", "ls", "-q")).stdout).toBe("");
  });
});

describe("a bind", () => {
  test("shows the host's files, writable or not, and is made when -v names what is not there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gantry-bind-"));
    writeFileSync(join(folder, "file"), "host\n");
    expect((await run("-v", `${folder}:/in:ro`, busybox, "sh", "-c", "cat /in/file; touch /in/x")).stdout).toBe("host\n");
    await run("-v", `${folder}/made:/in`, busybox, "sh", "-c", "echo inside > /in/file");
    expect(readFileSync(join(folder, "made/file"), "utf8")).toBe("inside\n");
    const readOnlyFile = await run("-v", `${folder}/file:/in:ro`, busybox, "sh", "-c", "cat /in; echo x > /in");
    expect(readOnlyFile).toMatchObject({ code: 1, stdout: "host\n", stderr: expect.stringContaining("Read-only file system") });
    const missing = await run("--mount", `type=bind,source=${folder}/missing,target=/in`, busybox, "true");
    expect(missing.stderr).toContain("bind source path does not exist");
    rmSync(folder, { recursive: true });
  });

  test("--volumes-from brings the mounts of another container", async () => {
    await cli("create", "--name", "source", "-v", "shared:/shared", busybox);
    await run("--volumes-from", "source", busybox, "sh", "-c", "echo x > /shared/f");
    expect((await run("--volumes-from", "source:ro", busybox, "sh", "-c", "cat /shared/f; touch /shared/g")).stdout).toBe("x\n");
    await cli("rm", "source");
    await cli("volume", "rm", "shared");
  });
});
