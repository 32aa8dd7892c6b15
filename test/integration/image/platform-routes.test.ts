import { afterAll, beforeAll, expect, test } from "bun:test";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { foreign, host, putIndex } from "./multi-platform.ts";
import { TestRegistry } from "./registry.ts";

let daemon: TestDaemon;
beforeAll(async () => void (daemon = await startDaemon()));
afterAll(() => endClean(daemon));
const cli = (...args: string[]) => docker(daemon.host, ...args);

interface Manifest {
  readonly ID: string;
  readonly Available: boolean;
  readonly Kind: string;
  readonly Size: { readonly Content: number; readonly Total: number };
  readonly ImageData?: { readonly Platform: { readonly architecture: string }; readonly Containers: readonly string[] };
  readonly AttestationData?: { readonly For: string };
}

async function manifestsOf(path: string): Promise<readonly Manifest[]> {
  const { status, body } = await daemon.request("GET", path);
  expect(status).toBe(200);
  const [first] = Array.isArray(body) ? (body as { Manifests?: Manifest[] }[]) : [body as { Manifests?: Manifest[] }];
  return first?.Manifests ?? [];
}

test("two platforms of a name: list, inspect, history, create and rmi by platform, also after a restart (IMG-26, IMG-27)", async () => {
  await using registry = await TestRegistry.start();
  const { name, own, other } = putIndex(registry);
  expect((await cli("pull", "-q", "--platform", `linux/${foreign}`, name)).code).toBe(0);
  expect((await cli("pull", "-q", name)).code).toBe(0);
  expect((await cli("create", "--name", "foreign", "--platform", `linux/${foreign}`, "--network", "none", name)).code).toBe(0);
  await daemon.kill();
  await daemon.start();

  const filters = encodeURIComponent(JSON.stringify({ reference: [name] }));
  const manifests = await manifestsOf(`/v1.50/images/json?manifests=1&filters=${filters}`);
  expect(manifests.map(({ Kind, Available, ImageData }) => [ImageData?.Platform.architecture ?? Kind, Available])).toEqual([
    [host, true],
    [foreign, true],
    ["s390x", false],
    ["attestation", false],
  ]);
  expect(manifests[1]).toMatchObject({ ID: other.manifest.digest, ImageData: { Containers: [expect.stringMatching(/^[0-9a-f]{64}$/)] } });
  expect(manifests[2]?.Size).toEqual({ Content: 0, Total: 0 });
  expect(manifests[3]?.AttestationData?.For).toBe(own.manifest.digest);
  expect(await manifestsOf(`/v1.50/images/${name}/json?manifests=1`)).toEqual(manifests);
  expect(await manifestsOf(`/v1.47/images/${name}/json?manifests=1`)).toEqual([]);

  const inspected = await cli("image", "inspect", "--platform", `linux/${foreign}`, "--format", "{{.Id}} {{.Architecture}}", name);
  expect(inspected.stdout).toBe(`${other.config.digest} ${foreign}\n`);
  expect((await cli("history", "-q", "--no-trunc", "--platform", `linux/${foreign}`, name)).stdout).toBe(`${other.config.digest}\n`);
  await expectClean(daemon);

  expect((await cli("rmi", "--platform", `linux/${foreign}`, name)).stderr).toContain("conflict");
  await cli("rm", "foreign");
  expect((await cli("rmi", "--platform", `linux/${foreign}`, name)).stdout).toContain(`Deleted: ${other.config.digest}\n`);
  expect((await cli("images", "-q", "--no-trunc")).stdout).toBe(`${own.config.digest}\n`);
  expect((await manifestsOf(`/v1.50/images/${name}/json?manifests=1`)).map(({ Available }) => Available)).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect((await cli("rmi", "--platform", `linux/${host}`, name)).stdout).toContain(`Untagged: ${name}\n`);
});
