import { afterAll, beforeAll, describe, expect } from "bun:test";
import { join } from "node:path";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { lacks, lackOf } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const reason = "needs nftables, which this host's kernel lacks";

const isMeant = lackOf("nftables") !== undefined;
beforeAll(async () => {
  if (!isMeant) return;
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  if (isMeant) await endClean(daemon);
});

describe("where the kernel has no nftables", () => {
  lacks("nftables")("the daemon starts, and says in its log what cannot be used", () => {
    expect(daemon.log()).toContain("this host's kernel lacks nftables: networks of the driver bridge cannot be used");
  });

  lacks("nftables")("containers without a network, and on the host's, work", async () => {
    expect(await cli("run", "--rm", "--network", "none", busybox, "ls", "/sys/class/net")).toEqual({ code: 0, stderr: "", stdout: "lo\n" });
    expect((await cli("run", "--rm", "--network", "host", busybox, "hostname")).stdout).not.toBe("");
  });

  lacks("nftables")("a container on a bridge is refused with the reason, and leaves nothing", async () => {
    const refused = await cli("run", "--name", "bridged", "--network", "bridge", busybox, "true");
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain(reason);
    expect((await cli("inspect", "bridged", "--format", "{{.State.Status}} {{.State.Error}}")).stdout).toContain(reason);
    expect((await cli("rm", "bridged")).code).toBe(0);
  });

  lacks("nftables")("a network of the driver bridge is not made; the predefined ones stay after a restart", async () => {
    const refused = await cli("network", "create", "mine");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(reason);
    await daemon.kill();
    await daemon.start();
    expect((await cli("network", "ls", "--format", "{{.Name}}")).stdout.trim().split("\n").sort()).toEqual(["bridge", "host", "none"]);
  });

  lacks("nftables")("the doctor names it, with what can be done", () => {
    const main = join(import.meta.dir, "../../../src/main.ts");
    const { stdout, exitCode } = Bun.spawnSync([process.execPath, main, "doctor", "--data-root", `${daemon.dataRoot}/doctor`]);
    expect(stdout.toString()).toMatch(
      /missing +nf_tables +networks of the driver bridge cannot be used, only none and host: .*\n +do this: /,
    );
    expect(exitCode).toBe(1);
  });
});
