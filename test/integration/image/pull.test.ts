import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { sha256 } from "#lib/digest.ts";
import { mediaTypes } from "#types/oci/image.ts";
import { image, json } from "./fixtures.ts";
import { lines, openMachine } from "./machine.ts";
import { refuse, TestRegistry } from "./registry.ts";

const short = (digest: string): string => digest.slice(7, 19);
const credentials = (fields: object): string => Buffer.from(JSON.stringify(fields)).toString("base64url");
const twoLayers = () => image([{ "etc/": "", "etc/one": "1" }, { two: randomBytes(300_000) }]);

test("pull tells what Docker tells, in its order, and the image is whole", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = twoLayers();
  const name = registry.put("team/app", "1", made);
  const messages = await machine.pull(name);
  const [first, second] = made.layers.map(({ digest }) => short(digest));
  const told = lines(messages);
  expect(told.slice(0, 3)).toEqual(["1: Pulling from team/app", `${first}: Pulling fs layer`, `${second}: Pulling fs layer`]);
  expect(told.slice(-4)).toEqual(
    [
      `${first}: Pull complete`,
      `${second}: Pull complete`,
      `Digest: ${made.manifest.digest}`,
      `Status: Downloaded newer image for ${name}`,
    ].slice(-4),
  );
  for (const step of ["Verifying Checksum", "Download complete"]) expect(told).toContain(`${second}: ${step}`);
  const found = machine.images.find(name);
  expect(found.id).toBe(made.config.digest);
  expect(found.layers.map(({ diffId }) => diffId)).toEqual(made.layers.map(({ diffId }) => diffId));
  expect(found.sizeBytes).toBe(made.layers.reduce((sum, layer) => sum + layer.tar.length, 0));
  expect(machine.images.references(found.id).map(({ reference }) => reference)).toEqual([
    name,
    `${registry.host}/team/app@${made.manifest.digest}`,
  ]);
  expect(await machine.content.read(made.manifest.digest, 1 << 20)).toEqual(made.manifest.bytes);
  expect(await machine.leftovers()).toEqual([]);
});

test("a pull of what is there asks once and fetches nothing", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const name = registry.put("a", "latest", twoLayers());
  await machine.pull(name);
  const before = registry.requests.length;
  expect(lines(await machine.pull(name)).at(-1)).toBe(`Status: Image is up to date for ${name}`);
  expect(registry.requests.slice(before).map(({ method }) => method)).toEqual(["HEAD"]);
});

test("a layer another image has is not fetched again, and goes with the last image", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const base = { base: randomBytes(1000) };
  const [one, two] = [image([base, { one: "1" }]), image([base, { two: "2" }])];
  await machine.pull(registry.put("a", "one", one));
  const told = lines(await machine.pull(registry.put("a", "two", two)));
  expect(told).toContain(`${short(one.layers[0]!.digest)}: Already exists`);
  expect(registry.count(one.layers[0]!.digest)).toBe(1);
  for (const tag of ["one", "two"]) await machine.images.remove(`${registry.host}/a:${tag}`, { force: false, prune: true }, () => []);
  expect(await machine.leftovers()).toEqual([]);
  expect(await machine.snapshots.layers()).toEqual([]);
});

test("pulls of one image at the same time share each download (B10)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = twoLayers();
  const name = registry.put("a", "1", made);
  await Promise.all([1, 2, 3, 4].map(() => machine.pull(name)));
  for (const { digest } of made.layers) expect(registry.count(digest)).toBe(1);
  expect(await machine.leftovers()).toEqual([]);
});

test("the platform asked for is chosen from an index, also from one inside another", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const host = image([{ file: "host" }]);
  const other = image([{ file: "other" }], { architecture: "s390x" });
  const entry = (made: ReturnType<typeof image>, architecture?: string) => {
    registry.put("multi", made.manifest.digest, made);
    const platform = architecture ? { platform: { os: "linux", architecture } } : {};
    return { mediaType: mediaTypes.ociManifest, digest: made.manifest.digest, size: made.manifest.bytes.length, ...platform };
  };
  const attestation = { ...entry(other), platform: { os: "unknown", architecture: "unknown" } };
  const inner = json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [attestation, entry(other, "s390x"), entry(host)] });
  registry.putManifest("multi", inner.digest, inner.bytes, mediaTypes.ociIndex);
  const outer = json({ schemaVersion: 2, manifests: [{ mediaType: mediaTypes.ociIndex, digest: inner.digest, size: inner.bytes.length }] });
  registry.putManifest("multi", "latest", outer.bytes, mediaTypes.ociIndex);
  registry.putManifest("multi", outer.digest, outer.bytes, mediaTypes.ociIndex);
  const name = `${registry.host}/multi:latest`;
  expect(lines(await machine.pull(name))).toContain(`Digest: ${outer.digest}`);
  expect(machine.images.find(name).id).toBe(host.config.digest);
  await machine.pull(name, { platform: "linux/s390x" });
  expect(machine.images.find(name).id).toBe(other.config.digest);
  await expect(machine.pull(name, { platform: "linux/arm/v7" })).rejects.toMatchObject({
    kind: "not_found",
    message: "no matching manifest for linux/arm/v7 in the manifest list entries",
  });
});

test("a single manifest for another platform is pulled with a warning", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const name = registry.put("a", "1", image([{ file: "x" }], { architecture: "amd64" }));
  expect(lines(await machine.pull(name, { platform: "linux/arm64" })).at(-1)).toBe(
    `WARNING: image with reference ${name} was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)`,
  );
});

test("a pull by digest is checked against it, and names the image by it alone", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = twoLayers();
  registry.put("a", "1", made);
  const name = `${registry.host}/a@${made.manifest.digest}`;
  expect(lines(await machine.pull(name))[0]).toBe(`${name}: Pulling from a`);
  expect(machine.images.references(made.config.digest).map(({ reference }) => reference)).toEqual([name]);
  const wrong = `sha256:${"c".repeat(64)}` as const;
  registry.putManifest("a", wrong, made.manifest.bytes, mediaTypes.ociManifest);
  await expect(machine.pull(`${registry.host}/a@${wrong}`)).rejects.toThrow(`manifest verification failed for digest ${wrong}`);
});

test("all tags of a repository are pulled on request, page by page", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  registry.put("a", "one", image([{ one: "1" }]));
  registry.put("a", "two", image([{ two: "2" }]));
  registry.lie = ({ url = "" }, response) => {
    if (!url.includes("/tags/list")) return false;
    const isFirst = !url.includes("last=");
    if (isFirst) response.setHeader("link", '</v2/a/tags/list?last=one>; rel="next"');
    response.end(JSON.stringify({ name: "a", tags: [isFirst ? "one" : "two"] }));
    return true;
  };
  await machine.pull(`${registry.host}/a`, { allTags: true });
  expect(machine.images.list()).toHaveLength(2);
});

/** Kinds of lies about an honest image's blob or manifest, and what the user reads. */
const lies: readonly (readonly [string, (response: ServerResponse, honest: Buffer) => void, RegExp])[] = [
  [
    "other bytes of the same size",
    (response, honest) => response.end(Buffer.alloc(honest.length, 1)),
    /^filesystem layer verification failed for digest sha256:/,
  ],
  ["fewer bytes", (response, honest) => response.end(honest.subarray(1)), /^filesystem layer verification failed for digest sha256:/],
  ["more bytes", (response, honest) => response.end(Buffer.concat([honest, Buffer.alloc(10)])), /^filesystem layer verification failed/],
  ["nothing", (response) => response.writeHead(200, { "content-length": 0 }).end(), /^filesystem layer verification failed/],
  ["a page of HTML", (response) => response.writeHead(404, { "content-type": "text/html" }).end("<html>"), /^unknown blob$/],
  [
    "an endless body",
    (response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65536)));
      };
      response.on("drain", more);
      more();
    },
    /^filesystem layer verification failed/,
  ],
];

test.each(lies)("a registry that sends %p for a layer is refused, and nothing stays (B1, A10)", async (_what, send, message) => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = twoLayers();
  const name = registry.put("a", "1", made);
  registry.lie = ({ url = "" }, response) => {
    const layer = made.layers.find(({ digest }) => url.endsWith(digest));
    if (!layer) return false;
    send(response, layer.bytes);
    return true;
  };
  await expect(machine.pull(name)).rejects.toThrow(message);
  expect(machine.images.list()).toEqual([]);
  expect(await machine.leftovers()).toEqual([]);
});

test("a download that breaks off goes on where it stopped, after 503s too (B8)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ file: randomBytes(500_000) }]);
  const [layer] = made.layers;
  const name = registry.put("a", "1", made);
  let part = 0;
  registry.lie = ({ url = "" }, response) => {
    if (!url.endsWith(layer!.digest)) return false;
    part++;
    if (part === 2) {
      refuse(response, 503, "UNAVAILABLE", "later");
      return true;
    }
    if (part !== 1) return false;
    response.writeHead(200, { "content-length": layer!.bytes.length });
    response.write(layer!.bytes.subarray(0, 200_000), () => setTimeout(() => response.destroy(), 50));
    return true;
  };
  const told = lines(await machine.pull(name));
  expect(told.some((line) => line.includes("Retrying in 1 second"))).toBe(true);
  const ranges = registry.requests.filter(({ path }) => path.endsWith(layer!.digest)).map(({ range }) => range);
  expect(ranges[0]).toBeUndefined();
  expect(ranges.at(-1)).toMatch(/^bytes=[1-9]\d*-$/);
  expect(machine.images.list()).toHaveLength(1);
});

test("a registry that ignores Range is read from the start again (B8)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ file: randomBytes(300_000) }]);
  const [layer] = made.layers;
  const name = registry.put("a", "1", made);
  let part = 0;
  registry.lie = ({ url = "" }, response) => {
    if (!url.endsWith(layer!.digest)) return false;
    response.writeHead(200, { "content-length": layer!.bytes.length });
    if (++part > 1) response.end(layer!.bytes);
    else response.write(layer!.bytes.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 50));
    return true;
  };
  await machine.pull(name);
  expect(machine.images.list()).toHaveLength(1);
});

test("5xx before the manifest is tried again (B8)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const name = registry.put("a", "1", twoLayers());
  let failures = 2;
  registry.lie = ({ method }, response) => {
    if (method !== "GET" || failures-- <= 0) return false;
    refuse(response, 503, "UNAVAILABLE", "later");
    return true;
  };
  await machine.pull(name);
  expect(machine.images.list()).toHaveLength(1);
});

const manifestLies: readonly (readonly [string, (response: ServerResponse) => void, string, RegExp])[] = [
  [
    "missing",
    (r) => refuse(r, 404, "MANIFEST_UNKNOWN", "manifest unknown"),
    "not_found",
    /^manifest for \S+\/a:1 not found: manifest unknown: manifest unknown$/,
  ],
  [
    "of an unknown repository",
    (r) => refuse(r, 404, "NAME_UNKNOWN", "repository name not known to registry"),
    "not_found",
    /^repository \S+\/a not found: name unknown: repository name not known to registry$/,
  ],
  [
    "denied",
    (r) => refuse(r, 403, "DENIED", "requested access to the resource is denied"),
    "not_found",
    /^pull access denied for \S+\/a, repository does not exist or may require 'docker login': denied: requested access to the resource is denied$/,
  ],
  [
    "unauthorized",
    (r) => refuse(r, 401, "UNAUTHORIZED", "authentication required"),
    "unauthorized",
    /^unauthorized: authentication required$/,
  ],
  [
    "rationed for an hour",
    (r) => refuse(r, 429, "TOOMANYREQUESTS", "slow down", { "retry-after": "3600" }),
    "too_many",
    /^toomanyrequests: slow down$/,
  ],
  [
    "HTML",
    (r) => r.writeHead(200, { "content-type": "text/html" }).end("<html>hello</html>"),
    "internal",
    /^error unmarshalling content: invalid character '<' looking for beginning of value$/,
  ],
  [
    "of 5 MiB",
    (r) => r.writeHead(200, { "content-type": mediaTypes.ociManifest }).end(Buffer.alloc(5 << 20, 32)),
    "too_large",
    /larger than/,
  ],
  ["of schema 1", (r) => r.end('{"schemaVersion":1,"name":"a"}'), "internal", /schema 1 support has been removed/],
  [
    "a redirect to a file",
    (r) => r.writeHead(307, { location: "file:///etc/passwd" }).end(),
    "internal",
    /redirects to a place that is not allowed/,
  ],
  ["a redirect to itself", (r) => r.writeHead(307, { location: "?again" }).end(), "internal", /stopped after 10 redirects/],
];

test.each(manifestLies)("a manifest that is %p is told in Docker's words (B4, B5, B6, B8)", async (_what, send, kind, message) => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  registry.lie = (_request, response) => {
    send(response);
    return true;
  };
  const error: unknown = await machine.pull(`${registry.host}/a:1`).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ kind, message: expect.stringMatching(message) });
  expect(await machine.leftovers()).toEqual([]);
});

test("a registry nobody listens at is told as Docker does", async () => {
  await using machine = await openMachine();
  const registry = await TestRegistry.start();
  const { host } = registry;
  await registry[Symbol.asyncDispose]();
  await expect(machine.pull(`${host}/a:1`)).rejects.toThrow(`Get "http://${host}/v2/": dial tcp ${host}: connect: connection refused`);
});

test("an index that leads back to itself ends (B5)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  // The digest of an index cannot be in it: the registry lies about the content of one that is.
  const inner = `sha256:${"d".repeat(64)}`;
  const index = json({ schemaVersion: 2, manifests: [{ mediaType: mediaTypes.ociIndex, digest: inner, size: 10 }] });
  registry.putManifest("a", "1", index.bytes, mediaTypes.ociIndex);
  registry.putManifest("a", index.digest, index.bytes, mediaTypes.ociIndex);
  registry.putManifest("a", inner, index.bytes, mediaTypes.ociIndex);
  await expect(machine.pull(`${registry.host}/a:1`)).rejects.toThrow("manifest verification failed");
  let child = image([{ file: "x" }]).manifest;
  for (let depth = 0; depth < 6; depth++) {
    registry.putManifest("deep", child.digest, child.bytes, depth === 0 ? mediaTypes.ociManifest : mediaTypes.ociIndex);
    const mediaType = depth === 0 ? mediaTypes.ociManifest : mediaTypes.ociIndex;
    child = json({ schemaVersion: 2, manifests: [{ mediaType, digest: child.digest, size: child.bytes.length }] });
  }
  registry.putManifest("deep", "1", child.bytes, mediaTypes.ociIndex);
  registry.putManifest("deep", child.digest, child.bytes, mediaTypes.ociIndex);
  await expect(machine.pull(`${registry.host}/deep:1`)).rejects.toThrow("nested more than 3 deep");
});

test("a config whose layers are not the manifest's gives no image (A10)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const fewer = image([{ file: "x" }], { config: { rootfs: { type: "layers", diff_ids: [] } } });
  await expect(machine.pull(registry.put("a", "1", fewer))).rejects.toThrow("layers from manifest don't match image configuration");
  const others = image([{ file: "x" }], { config: { rootfs: { type: "layers", diff_ids: [sha256("y")] } } });
  await expect(machine.pull(registry.put("a", "2", others))).rejects.toMatchObject({
    kind: "invalid",
    message: expect.stringMatching(/^failed to register layer: /),
  });
  expect(machine.images.list()).toEqual([]);
  expect(await machine.leftovers()).toEqual([]);
});

test("credentials go to the registry and its token server, and not over a redirect (B6, B7)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  await using elsewhere = await TestRegistry.start();
  const made = twoLayers();
  const name = registry.put("private/app", "1", made);
  elsewhere.put("private/app", "1", made);
  registry.lie = ({ url = "", headers }, response) => {
    if (url.startsWith("/token")) {
      const isRight = headers.authorization === `Basic ${Buffer.from("me:geheim").toString("base64")}`;
      if (isRight) response.end(JSON.stringify({ token: "T0KEN" }));
      else refuse(response, 401, "UNAUTHORIZED", "wrong password geheim2");
      return true;
    }
    if (headers.authorization !== "Bearer T0KEN") {
      refuse(response, 401, "UNAUTHORIZED", "authentication required", {
        "www-authenticate": `Bearer realm="http://${registry.host}/token",service="test"`,
      });
      return true;
    }
    if (!url.includes("/blobs/")) return false;
    response.writeHead(307, { location: `http://${elsewhere.host}${url}` }).end();
    return true;
  };
  const auth = credentials({ username: "me", password: "geheim", serveraddress: registry.host });
  await machine.pull(name, { auth });
  expect(elsewhere.requests.length).toBe(3);
  expect(elsewhere.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  const token = registry.requests.find(({ path }) => path.startsWith("/token"));
  expect(token?.path).toContain("scope=repository%3Aprivate%2Fapp%3Apull");
  expect(registry.requests.filter(({ path }) => path.startsWith("/token"))).toHaveLength(1);
  await machine.images.remove(name, { force: true, prune: true }, () => []);
  const wrong = credentials({ username: "me", password: "geheim2" });
  await expect(machine.pull(name, { auth: wrong })).rejects.toMatchObject({
    kind: "unauthorized",
    message: `Head "http://${registry.host}/v2/private/app/manifests/1": unauthorized: wrong password <redacted>`,
  });
});

test("a client that leaves in the middle of a layer ends the download, and nothing stays (B9)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = twoLayers();
  const name = registry.put("a", "1", made);
  const client = new AbortController();
  const closed = Promise.withResolvers<void>();
  registry.lie = ({ url = "" }, response) => {
    if (!url.endsWith(made.layers[1]!.digest)) return false;
    response.writeHead(200, { "content-length": made.layers[1]!.bytes.length });
    response.on("close", closed.resolve);
    response.write(made.layers[1]!.bytes.subarray(0, 1000), () => client.abort(new Error("client has left")));
    return true;
  };
  await expect(machine.pull(name, { signal: client.signal })).rejects.toThrow("client has left");
  await closed.promise;
  expect(await machine.leftovers()).toEqual([]);
});

test("of two pulls that share a download, one that leaves does not end the other's (B9, B10)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ file: randomBytes(200_000) }]);
  const [layer] = made.layers;
  const name = registry.put("a", "1", made);
  const client = new AbortController();
  const goOn = Promise.withResolvers<void>();
  registry.lie = async ({ url = "" }, response) => {
    if (!url.endsWith(layer!.digest)) return false;
    response.writeHead(200, { "content-length": layer!.bytes.length });
    response.write(layer!.bytes.subarray(0, 1000));
    await goOn.promise;
    response.end(layer!.bytes.subarray(1000));
    return true;
  };
  const leaving = machine.pull(name, { signal: client.signal });
  const staying = machine.pull(name);
  const isFetched = (): boolean =>
    registry.count(layer!.digest) > 0 && registry.requests.filter(({ method }) => method === "HEAD").length === 2;
  while (!isFetched()) await Bun.sleep(1);
  await Bun.sleep(20); // both have joined
  client.abort(new Error("client has left"));
  await expect(leaving).rejects.toThrow("client has left");
  goOn.resolve();
  await staying;
  expect(registry.count(layer!.digest)).toBe(1);
  expect(machine.images.list()).toHaveLength(1);
  expect(await machine.leftovers()).toEqual([]);
});

test("layers with URLs of their own are taken from the registry and from nowhere else (B11)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  await using elsewhere = await TestRegistry.start();
  const plain = image([{ file: "x" }]);
  const [layer] = plain.layers;
  const foreign = {
    mediaType: mediaTypes.dockerForeignLayer,
    digest: layer!.digest,
    size: layer!.bytes.length,
    urls: [`http://${elsewhere.host}/x`],
  };
  await machine.pull(registry.put("a", "1", image([{ file: "x" }], { manifest: { layers: [foreign] } })));
  expect(elsewhere.requests).toEqual([]);
});

test("an image whose removal meets a pull that relies on its layers leaves them to the pull", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const base = { base: "x" };
  const [old, fresh] = [image([base]), image([base, { more: randomBytes(1000) }])];
  const oldName = registry.put("old", "1", old);
  await machine.pull(oldName);
  const top = fresh.layers[1]!;
  registry.lie = async ({ url = "" }) => {
    if (url.endsWith(top.digest)) await machine.images.remove(oldName, { force: false, prune: true }, () => []);
    return false;
  };
  const name = registry.put("fresh", "1", fresh);
  await machine.pull(name);
  expect(machine.images.list().map(({ id }) => id)).toEqual([fresh.config.digest]);
  expect(await machine.snapshots.layers()).toHaveLength(2);
  expect(await machine.leftovers()).toEqual([]);
});
