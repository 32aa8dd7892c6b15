import { afterAll, beforeAll, expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const port = 18_961;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

/** This host's own address, as its neighbours see it. */
function ownAddress(): string {
  const all = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    name === "lo" || name.startsWith("g") ? [] : (addresses ?? []),
  );
  return all.find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1";
}

/** @returns why the published port does not answer, undefined when it does */
const failure = (address: string): Promise<string | undefined> =>
  fetch(`http://${address}:${port}/passwd`, { keepalive: false, signal: AbortSignal.timeout(5000) }).then(
    async (response) => ((await response.text()).includes("root:") ? undefined : `answered ${response.status}`),
    String,
  );

/** The container runs before its program listens. */
async function serve(): Promise<void> {
  await cli("run", "-d", "--name", "served", "-p", `${port}:80`, busybox, "httpd", "-f", "-h", "/etc");
  await until(async () => (await failure("127.0.0.1")) === undefined);
}

test("F8: clients of a published port see no failed request while the daemon is killed and started again", async () => {
  await serve();
  let isOver = false;
  let phase = "served";
  const counts = new Map<string, { asked: number; failures: string[] }>();
  const client = async (address: string): Promise<void> => {
    const count = { asked: 0, failures: new Array<string>() };
    counts.set(address, count);
    for (; !isOver; await Bun.sleep(2)) {
      count.asked++;
      const failed = await failure(address);
      if (failed !== undefined) count.failures.push(`${phase}: ${failed}`);
    }
  };
  const clients = ["127.0.0.1", ownAddress()].map(client);
  for (let kill = 0; kill < 3; kill++) {
    await Bun.sleep(300);
    phase = "killed";
    await daemon.kill();
    await Bun.sleep(300);
    phase = "started again";
    await daemon.start();
    phase = "served again";
    // The port was taken again before the API answered.
    const second = await cli("run", "--rm", "-p", `${port}:80`, busybox, "true");
    expect(second.stderr).toContain("port is already allocated");
  }
  isOver = true;
  await Promise.all(clients);
  for (const [address, { asked, failures }] of counts) {
    expect({ address, failures }).toEqual({ address, failures: [] });
    expect(asked).toBeGreaterThan(100);
  }
  await cli("rm", "-f", "served");
}, 60_000);

test("F8: [::1] is served again within a second of the daemon's start", async () => {
  await serve();
  expect(await failure("[::1]")).toBeUndefined();
  await daemon.kill();
  await daemon.start();
  const started = performance.now();
  while ((await failure("[::1]")) !== undefined) if (performance.now() - started > 1000) break;
  expect(performance.now() - started).toBeLessThan(1000);
  await cli("rm", "-f", "served");
}, 30_000);
