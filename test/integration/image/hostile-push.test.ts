import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { until } from "../../support/until.ts";
import { dockerArchive, image } from "./fixtures.ts";
import { refuse, TestRegistry } from "./registry.ts";

// A daemon pushes to registries that lie, break off and tell what they were told.
let daemon: TestDaemon;
let registry: TestRegistry;
const made = image([{ one: randomBytes(400_000) }, { two: "x".repeat(50_000) }]);

beforeAll(async () => {
  daemon = await startDaemon();
  const response = await fetch("http://d/images/load?quiet=1", {
    unix: daemon.socket,
    method: "POST",
    body: dockerArchive(made, ["made:1"]),
    headers: { "Content-Type": "application/x-tar" },
  });
  expect(await response.text()).toContain("Loaded image");
}, 60_000);
beforeEach(async () => {
  registry = await TestRegistry.start();
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  expect(temporaryFiles()).toEqual([]);
});
afterAll(() => endClean(daemon));

const temporaryFiles = (): string[] => ["content/tmp", "layers/tmp"].flatMap((folder) => readdirSync(join(daemon.dataRoot, folder)));
const blobs = (): string[] => readdirSync(join(daemon.dataRoot, "content/blobs/sha256")).sort();

interface PushOptions {
  readonly auth?: object;
  readonly signal?: AbortSignal;
}

/** Pushes the image under a name at the registry. @returns what the client reads */
async function push({ auth = {}, signal }: PushOptions = {}): Promise<string> {
  const name = `${registry.host}/team/made`;
  await daemon.request("POST", `/images/made:1/tag?repo=${name}&tag=1`);
  const headers = { "X-Registry-Auth": Buffer.from(JSON.stringify(auth)).toString("base64url") };
  const url = `http://d/images/${name}/push?tag=1`;
  const response = await fetch(url, { unix: daemon.socket, method: "POST", headers, keepalive: false, ...(signal && { signal }) });
  return response.text();
}

/** Answers to the beginning of an upload, and what the user reads. */
const lies: readonly (readonly [string, (response: ServerResponse) => void, RegExp])[] = [
  ["no Location", (response) => response.writeHead(202).end(), /does not say where to upload to/],
  ["a file", (response) => response.writeHead(202, { location: "file:///etc/passwd" }).end(), /redirects to a place that is not allowed/],
  [
    "a unix socket",
    (response) => response.writeHead(202, { location: "unix:///run/docker.sock" }).end(),
    /redirects to a place that is not allowed/,
  ],
  [
    "plain HTTP elsewhere",
    (response) => response.writeHead(202, { location: "http://registry.example/upload" }).end(),
    /redirects to a place that is not allowed/,
  ],
  [
    "a name with a password",
    (response) => response.writeHead(202, { location: "http://a:b@127.0.0.1/" }).end(),
    /redirects to a place that is not allowed/,
  ],
  ["an endless error", endless, /received unexpected HTTP status: 400/],
  ["another method's redirect", (response) => response.writeHead(302, { location: "/v2/" }).end(), /received unexpected HTTP status: 302/],
];

function endless(response: ServerResponse): void {
  response.writeHead(400);
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65536, 32)));
  };
  response.on("drain", more);
  more();
}

test.each(lies)(
  "a registry that answers an upload with %s is refused (B6)",
  async (_what, send, message) => {
    registry.lie = ({ method }, response) => {
      if (method !== "POST") return false;
      send(response);
      return true;
    };
    expect(await push()).toMatch(message);
    expect((await daemon.request("GET", "/_ping")).status).toBe(200);
  },
  60_000,
);

test("a manifest that is refused is told, and the image stays as it was", async () => {
  registry.lie = ({ method, url = "" }, response) => {
    if (method !== "PUT" || !url.includes("/manifests/")) return false;
    refuse(response, 400, "MANIFEST_INVALID", "manifest invalid");
    return true;
  };
  const before = await daemon.request("GET", "/images/made:1/json");
  expect(await push()).toContain('"error":"manifest invalid: manifest invalid"');
  const names = ({ body }: { readonly body: unknown }): unknown => (body as { RepoDigests: unknown }).RepoDigests;
  expect(names(await daemon.request("GET", "/images/made:1/json"))).toEqual(names(before));
});

test("passwords and tokens are in no error, event, info or log of a push (B7)", async () => {
  const [password, token] = ["pa55-of-the-user", "t0ken-of-the-registry"];
  registry.lie = ({ url = "", headers }, response) => {
    if (url.startsWith("/token")) response.end(JSON.stringify({ token }));
    else if (!headers.authorization)
      refuse(response, 401, "UNAUTHORIZED", "who?", { "www-authenticate": `Bearer realm="http://${registry.host}/token"` });
    else refuse(response, 403, "DENIED", `not for ${headers.authorization} ${password}`);
    return true;
  };
  const since = Math.floor(Date.now() / 1000);
  const answer = await push({ auth: { username: "me", password } });
  expect(answer).toContain("denied: not for Bearer <redacted>");
  const basic = Buffer.from(`me:${password}`).toString("base64");
  expect(registry.requests.map(({ authorization }) => authorization)).toContain(`Basic ${basic}`);
  const events = (await daemon.request("GET", `/events?since=${since}&until=${since + 1}`)).text;
  const info = (await daemon.request("GET", "/info")).text;
  for (const text of [answer, events, info, daemon.log()])
    for (const secret of [password, token, basic]) expect(text).not.toContain(secret);
});

test.each([429, 403, 500])(
  "a registry that always answers %p ends the push within 45 s (B8)",
  async (status) => {
    registry.lie = (request, response) => {
      request.resume();
      refuse(response, status, "REFUSED", "always", { "retry-after": "3600" });
      return true;
    };
    const start = performance.now();
    expect(await push()).toMatch(/toomanyrequests|refused|received unexpected HTTP status: 500/);
    expect(performance.now() - start).toBeLessThan(45_000);
    expect(registry.requests.length).toBeLessThan(30);
  },
  50_000,
);

test("a client that hangs up ends its push within 15 s: the upload is taken back, nothing stays (B9)", async () => {
  const begun = Promise.withResolvers<void>();
  registry.lie = (request) => {
    if (request.method !== "PUT") return false;
    begun.resolve(); // never read, never answered
    return true;
  };
  const before = blobs();
  const client = new AbortController();
  const pushing = push({ signal: client.signal }).catch((error: unknown) => String(error));
  await begun.promise;
  client.abort();
  await pushing;
  await until(() => registry.uploads.openCount === 0, 15_000);
  await until(() => blobs().length === before.length, 15_000);
}, 40_000);

test("a daemon that is killed in the middle of a push leaves nothing, and the next one pushes", async () => {
  const before = blobs();
  const begun = Promise.withResolvers<void>();
  registry.lie = (request) => {
    if (request.method !== "PUT") return false;
    begun.resolve();
    return true;
  };
  const pushing = push().catch((error: unknown) => String(error));
  await begun.promise;
  await daemon.kill();
  await pushing;
  await daemon.start();
  expect(temporaryFiles()).toEqual([]);
  expect(blobs()).toEqual(before);
  registry.lie = () => false;
  expect(await push()).toContain('"aux"');
  expect(registry.manifest("team/made", "1")).toBeDefined();
}, 60_000);

/** A registry that takes everything but for one lie; what the user reads, or that the push has been. */
const laterLies: readonly (readonly [string, (request: IncomingMessage, response: ServerResponse) => boolean, RegExp])[] = [
  [
    "says of each blob that it has another digest",
    ({ method, url = "" }, response) => {
      if (method !== "PUT" || !url.includes("/uploads/")) return false;
      refuse(response, 400, "DIGEST_INVALID", "provided digest did not match uploaded content");
      return true;
    },
    /digest invalid: provided digest did not match/,
  ],
  [
    "answers an upload with HTML",
    ({ method }, response) => {
      if (method === "PUT") response.writeHead(403, { "content-type": "text/html" }).end("<html>Please log in</html>");
      return method === "PUT";
    },
    /denied/,
  ],
  [
    "sends an upload around in a circle",
    (request, response) => {
      if (request.method !== "PUT") return false;
      request.resume();
      response.writeHead(307, { location: request.url ?? "" }).end();
      return true;
    },
    /stopped after 10 redirects/,
  ],
  [
    "has blobs, and then does not know them",
    ({ method, url = "" }, response) => {
      if (method !== "HEAD" || !url.includes("/blobs/")) return false;
      response.writeHead(200).end();
      return true;
    },
    /manifest blob unknown: blob unknown to registry/,
  ],
  [
    "takes the manifest for another one",
    (request, response) => {
      if (request.method !== "PUT" || !request.url?.includes("/manifests/")) return false;
      request.resume();
      response.writeHead(201, { "docker-content-digest": `sha256:${"0".repeat(64)}` }).end();
      return true;
    },
    /has taken the manifest as sha256:0{64}/,
  ],
  ...["0-999999999999", "5-3", "-1", "bytes", "0-1e9", "0-".padEnd(5000, "9")].map(
    (range): readonly [string, (request: IncomingMessage, response: ServerResponse) => boolean, RegExp] => {
      let isBroken = false;
      return [
        `breaks off and then has "${range.slice(0, 20)}" of an upload`,
        (request, response) => {
          if (request.method === "GET" && request.url?.includes("/uploads/")) {
            response.writeHead(204, { range, location: request.url }).end();
            return true;
          }
          if (request.method !== "PUT" || isBroken) return false;
          isBroken = true;
          request.socket.destroy();
          return true;
        },
        /"aux":/,
      ];
    },
  ),
];

test.each(laterLies)(
  "a registry that %s is told so, or got along with, and the image stays (B6)",
  async (_what, lie, message) => {
    registry.lie = lie;
    const start = performance.now();
    expect(await push()).toMatch(message);
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(registry.uploads.openCount).toBe(0);
    expect((await daemon.request("GET", "/images/made:1/json")).status).toBe(200);
  },
  60_000,
);
