import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { until } from "../../support/until.ts";
import { mediaTypes } from "#types/oci/image.ts";
import { image, json } from "./fixtures.ts";
import { refuse, TestRegistry } from "./registry.ts";

let daemon: TestDaemon;
let registry: TestRegistry;

beforeAll(async () => {
  daemon = await startDaemon();
});
beforeEach(async () => {
  registry = await TestRegistry.start();
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  expect((await daemon.request("GET", "/images/json")).text.trim()).toBe("[]");
  expect(temporaryFiles()).toEqual([]);
});
afterAll(async () => {
  await expectClean(daemon);
  await daemon[Symbol.asyncDispose]();
});

const temporaryFiles = (): string[] => ["content/tmp", "layers/tmp"].flatMap((folder) => readdirSync(join(daemon.dataRoot, folder)));

interface PullOptions {
  readonly auth?: object;
  readonly signal?: AbortSignal;
}

/** What the client of a pull reads, whether the failure comes as a status or in the stream. */
async function pull(name: string, { auth, signal }: PullOptions = {}): Promise<string> {
  const headers = auth ? { "X-Registry-Auth": Buffer.from(JSON.stringify(auth)).toString("base64url") } : {};
  const url = `http://d/images/create?fromImage=${encodeURIComponent(name)}`;
  const response = await fetch(url, { unix: daemon.socket, method: "POST", headers, keepalive: false, ...(signal && { signal }) });
  return response.text();
}

const made = image([{ one: randomBytes(300_000) }]);
const [layer] = made.layers;
if (!layer) throw new Error("the image of the test has a layer");
const descriptor = { mediaType: mediaTypes.ociLayerGzip, digest: layer.digest as string, size: layer.bytes.length };
const honest = JSON.parse(made.manifest.bytes.toString()) as { config: object };

/** Serves a manifest that was made by hand beside honest blobs. */
function serve(document: unknown, type: string = mediaTypes.ociManifest): string {
  registry.put("a", "honest", made);
  const { digest, bytes } = json(document);
  for (const reference of ["1", digest]) registry.putManifest("a", reference, bytes, type);
  return `${registry.host}/a:1`;
}

describe("a manifest is refused, the daemon goes on and nothing stays:", () => {
  test.each<[string, object, string]>([
    ["an empty digest (B2)", { ...descriptor, digest: "" }, "invalid checksum digest format"],
    ["a digest that is a path (B2)", { ...descriptor, digest: "sha256:../../../../etc/passwd" }, "invalid checksum digest format"],
    ["a digest of the wrong type (B2)", { ...descriptor, digest: 7 }, "invalid checksum digest format"],
    ["a negative size (B3)", { ...descriptor, size: -1 }, "could not validate layer size"],
    ["a size beyond all disks (B3)", { ...descriptor, size: 2 ** 60 }, "could not validate layer size"],
    ["a size that is text (B3)", { ...descriptor, size: "10" }, "could not validate layer size"],
  ])("%s", async (_what, bad, message) => {
    expect(await pull(serve({ ...honest, layers: [bad] }))).toContain(message);
  });

  test.each<[string, object, string]>([
    ["a manifest served as an index (B4)", honest, mediaTypes.ociIndex],
    ["an index served as a manifest (B4)", { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] }, mediaTypes.ociManifest],
    ["layers and manifests in one document (B4)", { ...honest, manifests: [] }, mediaTypes.ociManifest],
    ["4 MiB and one byte (B5)", { ...honest, annotations: { long: "x".repeat(4 << 20) } }, mediaTypes.ociManifest],
  ])("%s", async (_what, document, type) => {
    expect(await pull(serve(document, type))).toMatch(/media type mismatch|expected manifest but found index|larger than/);
  });
});

test("an endless layer is read up to its declared size and no further (B1)", async () => {
  let sentBytes = 0;
  registry.lie = ({ url = "" }, response) => {
    if (!url.endsWith(layer.digest)) return false;
    const chunk = Buffer.alloc(65536);
    const more = (): void => {
      while (!response.destroyed) {
        sentBytes += chunk.length;
        if (!response.write(chunk)) return;
      }
    };
    response.on("drain", more);
    more();
    return true;
  };
  const told = await pull(registry.put("a", "1", made));
  expect(told).toContain("filesystem layer verification failed");
  // What the sockets between the two hold comes on top, at each attempt.
  expect(sentBytes).toBeLessThan(64 << 20);
});

test("passwords and tokens are in no error, event, info or log (B7)", async () => {
  const [password, token] = ["pa55-of-the-user", "t0ken-of-the-registry"];
  registry.lie = ({ url = "", headers }, response) => {
    if (url.startsWith("/token")) response.end(JSON.stringify({ token }));
    else if (!headers.authorization)
      refuse(response, 401, "UNAUTHORIZED", "who?", { "www-authenticate": `Bearer realm="http://${registry.host}/token"` });
    // A registry that tells what it was told.
    else refuse(response, 403, "DENIED", `not for ${headers.authorization} ${password}`);
    return true;
  };
  const since = Math.floor(Date.now() / 1000);
  const answer = await pull(`${registry.host}/private/a:1`, { auth: { username: "me", password } });
  expect(answer).toContain("pull access denied");
  const basic = Buffer.from(`me:${password}`).toString("base64");
  expect(registry.requests.map(({ authorization }) => authorization)).toContain(`Basic ${basic}`);
  const events = (await daemon.request("GET", `/events?since=${since}&until=${since + 1}`)).text;
  const info = (await daemon.request("GET", "/info")).text;
  for (const text of [answer, events, info, daemon.log()])
    for (const secret of [password, token, basic]) expect(text).not.toContain(secret);
});

test("credentials do not follow a redirect to another port (B6)", async () => {
  await using elsewhere = await TestRegistry.start();
  elsewhere.put("a", "1", made);
  registry.lie = ({ url = "", headers }, response) => {
    if (!headers.authorization) refuse(response, 401, "UNAUTHORIZED", "who?", { "www-authenticate": 'Basic realm="test"' });
    else response.writeHead(307, { location: `http://${elsewhere.host}${url}` }).end();
    return true;
  };
  await pull(`${registry.host}/a:1`, { auth: { username: "me", password: "geheim" } });
  expect(elsewhere.requests.length).toBeGreaterThan(0);
  expect(elsewhere.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  await daemon.request("DELETE", `/images/${registry.host}/a:1?force=1`);
});

test("a client that hangs up ends its pull within 15 s, and nothing stays (B9)", async () => {
  const closed = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  registry.lie = ({ url = "" }, response) => {
    if (!url.endsWith(layer.digest)) return false;
    response.writeHead(200, { "content-length": layer.bytes.length });
    response.on("close", closed.resolve);
    response.write(layer.bytes.subarray(0, 100_000), () => begun.resolve());
    return true;
  };
  const client = new AbortController();
  const pulling = pull(registry.put("a", "1", made), { signal: client.signal }).catch((error: unknown) => String(error));
  await begun.promise;
  await until(() => temporaryFiles().length > 0);
  client.abort();
  await pulling;
  await Promise.race([closed.promise, Bun.sleep(15_000).then(() => Promise.reject(new Error("the download goes on")))]);
  await until(() => temporaryFiles().length === 0, 15_000);
}, 40_000);

test.each([429, 403, 500])(
  "a registry that always answers %p ends the pull within 45 s (B8)",
  async (status) => {
    registry.lie = (_request, response) => {
      refuse(response, status, "REFUSED", "always", { "retry-after": "3600" });
      return true;
    };
    const start = performance.now();
    expect(await pull(`${registry.host}/a:1`)).toMatch(/always|denied|refused/i);
    expect(performance.now() - start).toBeLessThan(45_000);
    expect(registry.requests.length).toBeLessThan(20);
  },
  50_000,
);
