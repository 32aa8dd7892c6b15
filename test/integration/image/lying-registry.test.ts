import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { until } from "../../support/until.ts";
import { mediaTypes } from "#types/oci/image.ts";
import { blob, image, json } from "./fixtures.ts";
import { pour, RawServer } from "./raw-server.ts";
import { refuse, TestRegistry } from "./registry.ts";

// Registries that lie, each in its own way: an error that says what is wrong, soon, without the memory, and nothing of it stays.
const longestMilliseconds = 20_000;
/** Of the daemon, for all lies together. */
const mostGrowthBytes = 250 << 20;

setDefaultTimeout(2 * longestMilliseconds);
let daemon: TestDaemon;
let registry: TestRegistry;
let startedAt: number;
let limitMilliseconds: number;
let startedBytes: number;

beforeAll(async () => {
  daemon = await startDaemon();
  startedBytes = residentBytes();
}, 60_000);
beforeEach(async () => {
  registry = await TestRegistry.start();
  startedAt = performance.now();
  limitMilliseconds = longestMilliseconds;
});
afterEach(async () => {
  expect(performance.now() - startedAt).toBeLessThan(limitMilliseconds);
  expect(residentBytes() - startedBytes).toBeLessThan(mostGrowthBytes);
  await registry[Symbol.asyncDispose]();
  expect((await daemon.request("GET", "/images/json?all=1")).text.trim()).toBe("[]");
  expect(["content/tmp", "layers/tmp"].flatMap((folder) => readdirSync(join(daemon.dataRoot, folder)))).toEqual([]);
});
afterAll(() => endClean(daemon), 60_000);

/** The most that the daemon ever had. */
function residentBytes(): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, "utf8"))?.[1]) * 1024;
}

async function pull(name: string, query = ""): Promise<string> {
  const url = `http://d/images/create?fromImage=${encodeURIComponent(name)}${query}`;
  return (await fetch(url, { unix: daemon.socket, method: "POST", keepalive: false })).text();
}

const made = image([{ one: randomBytes(300_000) }]);
const [layer] = made.layers;
if (!layer) throw new Error("the image of the test has a layer");
const honest = JSON.parse(made.manifest.bytes.toString()) as { config: object; layers: object[] };
const html = "<!DOCTYPE html><html><body>Please log in to the hotel's network</body></html>";
const sendHtml = (response: ServerResponse, status = 200): void =>
  void response.writeHead(status, { "content-type": "text/html" }).end(html);

/** An honest image but for the answers to paths that have a part. */
function lieAt(part: string, send: (response: ServerResponse, path: string) => void): string {
  registry.lie = ({ method, url = "" }, response) => {
    if (!url.includes(part)) return false;
    if (method === "HEAD") response.writeHead(405).end();
    else send(response, url);
    return true;
  };
  return registry.put("a", "1", made);
}

function endless(response: ServerResponse, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" });
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(65536, 32)));
  };
  response.on("drain", more);
  more();
}

const flipped = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(bytes);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return copy;
};

describe("a blob that is not what its manifest says is refused:", () => {
  const lies: readonly (readonly [string, (response: ServerResponse) => void, RegExp])[] = [
    ["one bit differs (A10)", (r) => r.end(flipped(layer.bytes)), /filesystem layer verification failed/],
    ["a byte too many (B1)", (r) => r.end(Buffer.concat([layer.bytes, Buffer.alloc(1)])), /filesystem layer verification failed/],
    [
      "announced as larger (B1)",
      (r) => r.writeHead(200, { "content-length": layer.bytes.length + 1 }).end(layer.bytes),
      /verification failed/,
    ],
    ["empty", (r) => r.writeHead(200, { "content-length": 0 }).end(), /verification failed/],
    ["a page of HTML", (r) => sendHtml(r), /verification failed|unexpected EOF/],
    ["a page of HTML with 403", (r) => sendHtml(r, 403), /denied/],
    [
      "a part that was not asked for",
      (r) => r.writeHead(206, { "content-range": "bytes 5-9/10" }).end("12345"),
      /part of a blob that was not asked for/,
    ],
    ["a redirect to itself", (r) => r.writeHead(307, { location: "?again" }).end(), /stopped after 10 redirects/],
    ["a redirect to nowhere", (r) => r.writeHead(307, { location: "http://[" }).end(), /redirects to a place that is not allowed/],
    [
      "a redirect to a file (B6)",
      (r) => r.writeHead(307, { location: "file:///etc/shadow" }).end(),
      /redirects to a place that is not allowed/,
    ],
    ["missing", (r) => refuse(r, 404, "BLOB_UNKNOWN", "unknown"), /unknown blob/],
  ];
  test.each(lies)("a layer: %s", async (_what, send, message) => {
    expect(await pull(lieAt(layer.digest, send))).toMatch(message);
  });

  test("a layer that always ends early is asked for a few times, then given up (B8)", async () => {
    const name = lieAt(layer.digest, (response) => {
      response.writeHead(200, { "content-length": layer.bytes.length });
      response.write(layer.bytes.subarray(0, 1000), () => setTimeout(() => response.destroy(), 10));
    });
    expect(await pull(name)).toContain("unexpected EOF");
    expect(registry.count(layer.digest)).toBeLessThan(10);
  }, 30_000);

  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    ["one bit differs (A10)", (r) => r.end(flipped(made.config.bytes)), /config verification failed/],
    ["endless (B1)", (r) => endless(r), /larger than/],
    ["a page of HTML", (r) => sendHtml(r), /config verification failed/],
  ])("a config: %s", async (_what, send, message) => {
    expect(await pull(lieAt(made.config.digest, send))).toMatch(message);
  });
});

describe("a document that is none is refused:", () => {
  const nested = `{"schemaVersion":2,"mediaType":"${mediaTypes.ociManifest}","config":${'{"a":'.repeat(500_000)}1${"}".repeat(500_000)}}`;
  const manifests: readonly (readonly [string, (response: ServerResponse) => void, RegExp])[] = [
    ["a page of HTML", (r) => sendHtml(r), /invalid character '<'/],
    ["a page of HTML with 500's sister", (r) => sendHtml(r, 418), /received unexpected HTTP status: 418/],
    ["endless (B5)", (r) => endless(r), /larger than 4194304 bytes/],
    ["an endless error (B5)", (r) => endless(r, 400), /received unexpected HTTP status: 400/],
    [
      "announced with 100 MB (B5)",
      (r) => void r.writeHead(200, { "content-length": 100e6 }).write(Buffer.alloc(5 << 20, 32)),
      /larger than/,
    ],
    [
      "nested half a million deep (B5)",
      (r) => r.writeHead(200, { "content-type": mediaTypes.ociManifest }).end(nested),
      /manifest|content|depth|stack/i,
    ],
    ["lists four million deep (B5)", (r) => r.end("[".repeat(4_000_000)), /error unmarshalling content/],
    [
      "a gzip bomb as Content-Encoding (A8)",
      (r) => r.writeHead(200, { "content-encoding": "gzip" }).end(bomb()),
      /error unmarshalling content/,
    ],
    ["NUL bytes", (r) => r.end(Buffer.alloc(1000)), /error unmarshalling content/],
    ["nothing", (r) => r.end(), /unexpected end of JSON input/],
    ["null", (r) => r.end("null"), /not an object/],
    [
      "an image of another program",
      (r) => r.writeHead(200, { "content-type": "image/png" }).end('{"schemaVersion":2}'),
      /unsupported manifest media type/,
    ],
  ];
  test.each(manifests)("a manifest: %s", async (_what, send, message) => {
    expect(await pull(lieAt("/manifests/", send))).toMatch(message);
  });

  const configs: readonly (readonly [string, object, RegExp])[] = [
    ["10,000 layers", { rootfs: { type: "layers", diff_ids: Array(10_000).fill(layer.diffId) } }, /more than 500 layers/],
    ["layers that are paths", { rootfs: { type: "layers", diff_ids: ["sha256:../../../../etc/passwd"] } }, /digest|diff/i],
    ["no layers", { rootfs: null }, /rootfs|layers/i],
    ["an architecture that is an object", { architecture: { a: 1 } }, /architecture|config/i],
    ["another system", { os: "windows" }, /operating system/],
  ];
  test.each(configs)("a config: %s", async (_what, config, message) => {
    const lying = image([{ one: "1" }], { config: { ...config } });
    expect(await pull(registry.put("a", "1", lying))).toMatch(message);
  });

  test("a config that is nested half a million deep", async () => {
    const config = blob(`{"os":"linux","config":${'{"a":'.repeat(500_000)}1${"}".repeat(500_000)}}`);
    const descriptor = { mediaType: mediaTypes.ociConfig, digest: config.digest, size: config.bytes.length };
    const manifest = json({ ...honest, config: descriptor });
    for (const name of ["1", manifest.digest]) registry.putManifest("a", name, manifest.bytes, mediaTypes.ociManifest);
    registry.put("a", "other", { ...made, config });
    expect(await pull(`${registry.host}/a:1`)).toMatch(/"error"/);
  });

  test("a manifest of 10,000 layers", async () => {
    const manifest = json({ ...honest, layers: Array(10_000).fill(honest.layers[0]) });
    registry.put("a", "honest", made);
    for (const name of ["1", manifest.digest]) registry.putManifest("a", name, manifest.bytes, mediaTypes.ociManifest);
    expect(await pull(`${registry.host}/a:1`)).toContain("manifest has more than 1024 layers");
  });

  test("a layer that is a bomb of gzip is not what the config says, and takes no memory (A8)", async () => {
    const bytes = bomb();
    const bad = { ...layer, ...blob(bytes) };
    const manifest = json({ ...honest, layers: [{ mediaType: mediaTypes.ociLayerGzip, digest: bad.digest, size: bytes.length }] });
    registry.put("a", "2", { ...made, manifest, layers: [bad] });
    expect(await pull(`${registry.host}/a:2`)).toMatch(/failed to register layer/);
  }, 60_000);
});

/** 256 MiB of zeros in 256 KiB. */
function bomb(): Buffer {
  return gzipSync(Buffer.alloc(256 << 20), { level: 9 });
}

describe("a log-in that leads nowhere ends:", () => {
  const withTokenServer = (send: (response: ServerResponse, path: string) => void, realm = `http://${registry.host}/token`): string => {
    registry.lie = ({ url = "", headers }, response) => {
      if (url.startsWith("/token")) send(response, url);
      else if (headers.authorization?.startsWith("Bearer")) return false;
      else
        refuse(response, 401, "UNAUTHORIZED", "authentication required", { "www-authenticate": `Bearer realm="${realm}",service="test"` });
      return true;
    };
    return registry.put("a", "1", made);
  };
  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    ["a page of HTML", (r) => sendHtml(r), /did not include a token/],
    ["a page of HTML with 502", (r) => sendHtml(r, 403), /denied|403/],
    ["endless", (r) => endless(r), /larger than/],
    ["deep", (r) => r.end(`{"token":${"[".repeat(60_000)}`), /did not include a token|larger than/],
    ["a token with a line feed", (r) => r.end(JSON.stringify({ token: "a\r\nx-evil: 1" })), /did not include a token/],
    ["a redirect", (r) => r.writeHead(307, { location: "/token" }).end(), /unexpected HTTP status: 307/],
  ])("a token: %s", async (_what, send, message) => {
    expect(await pull(withTokenServer(send))).toMatch(message);
  });

  test.each(["file:///etc/passwd", "http://registry.example/token", "ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "not a URL"])(
    "a token server at %s",
    async (realm) => {
      expect(await pull(withTokenServer(() => {}, realm))).toContain("token server that is not allowed");
    },
  );

  test("a registry that wants another log-in each time", async () => {
    let count = 0;
    registry.lie = ({ url = "" }, response) => {
      if (url.startsWith("/token")) response.end(JSON.stringify({ token: `token${++count}` }));
      else refuse(response, 401, "UNAUTHORIZED", "once more", { "www-authenticate": `Bearer realm="http://${registry.host}/token"` });
      return true;
    };
    expect(await pull(registry.put("a", "1", made))).toContain("once more");
    expect(registry.requests.length).toBeLessThan(30);
  });

  const logIn = async (): Promise<string> =>
    (await daemon.request("POST", "/auth", { username: "me", password: "secret", serveraddress: registry.host })).text;

  test.each<[string, (response: ServerResponse) => void]>([
    ["HTML", (r) => sendHtml(r, 403)],
    ["an endless error", (r) => endless(r, 500)],
    ["a redirect to itself", (r) => r.writeHead(307, { location: "?again" }).end()],
  ])("login is answered with %s", async (_what, send) => {
    registry.lie = (_request, response) => {
      send(response);
      return true;
    };
    const text = await logIn();
    expect(text).toContain('"message"');
    expect(text).not.toContain("secret");
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["HTML", (r) => sendHtml(r)],
    ["an endless list", (r) => endless(r)],
    ["a number", (r) => r.end("7")],
    ["results that are none", (r) => r.end('{"results":[{"name":7},null,"x"]}')],
    ["deep lists", (r) => r.end("[".repeat(1_000_000))],
  ])("search is answered with %s", async (_what, send) => {
    registry.lie = ({ url = "" }, response) => {
      if (url.includes("search")) send(response);
      else response.end("{}");
      return true;
    };
    const { status, text } = await daemon.request("GET", `/images/search?term=${registry.host}/app`);
    expect(status === 200 ? text.trim() : text).toMatch(status === 200 ? /^\[.*\]$/ : /"message"/);
  });
});

describe("a list of tags (pull --all-tags):", () => {
  test.each<[string, (response: ServerResponse) => void, RegExp]>([
    ["a page of HTML", (r) => sendHtml(r), /list of tags is no JSON/],
    ["endless", (r) => endless(r), /larger than/],
    ["a number", (r) => r.end('{"tags":7}'), /list of tags is no list/],
    ["deep", (r) => r.end(`{"tags":${"[".repeat(1_000_000)}`), /list of tags is no JSON/],
    [
      "more than 10,000",
      (r) => r.end(JSON.stringify({ tags: Array.from({ length: 10_001 }, (_, index) => `t${index}`) })),
      /more than 10000 tags/,
    ],
  ])("%s", async (_what, send, message) => {
    const name = lieAt("/tags/list", send);
    expect(await pull(name.replace(/:1$/, ""), "&tag=")).toMatch(message);
  });

  test("tags that are paths are left out, and nothing is asked for them", async () => {
    const name = lieAt("/tags/list", (response) => {
      response.end(JSON.stringify({ tags: ["../../../../etc/passwd", "..", "a/b", "", "x\u0000y", "%2e%2e", "-a", 7, "a".repeat(129)] }));
    });
    expect(await pull(name.replace(/:1$/, ""))).not.toContain("passwd");
    expect(registry.requests.filter(({ path }) => path.includes("/manifests/"))).toEqual([]);
  });

  test("pages without an end", async () => {
    let page = 0;
    const name = lieAt("/tags/list", (response, path) => {
      const tags = Array.from({ length: 1000 }, (_, index) => `t${page}x${index}`);
      response.writeHead(200, { link: `<${path.split("?")[0]}?last=${++page}>; rel="next"` }).end(JSON.stringify({ tags }));
    });
    expect(await pull(name.replace(/:1$/, ""))).toContain("more than 10000 tags");
  });

  test("empty pages without an end", async () => {
    let page = 0;
    const name = lieAt("/tags/list", (response, path) => {
      response.writeHead(200, { link: `<${path.split("?")[0]}?last=${++page}>; rel="next"` }).end('{"tags":[]}');
    });
    expect(await pull(name.replace(/:1$/, ""))).toContain("pages");
    expect(page).toBeLessThanOrEqual(1001);
  });
});

test("answers that are hardly HTTP: a clear end of each, and 100 MB of head take no memory", async () => {
  const sent = (head: string) => (socket: Socket) => void socket.write(head, () => setTimeout(() => socket.destroy(), 200));
  const poured = (start: string, piece: string) => (socket: Socket) => {
    socket.write(`HTTP/1.1 200 OK\r\n${start}`);
    pour(socket, piece);
  };
  const answers: Readonly<Record<string, (socket: Socket) => void>> = {
    "a negative length": sent("HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n{}"),
    "an absurd length": sent(`HTTP/1.1 200 OK\r\ncontent-length: ${"9".repeat(40)}\r\n\r\n{}`),
    "two lengths": sent("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 7\r\n\r\n{}"),
    "a chunk of absurd length": sent("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}"),
    "no HTTP": sent("220 mail.example ESMTP\r\n\r\n"),
    "a status of nothing": sent("HTTP/1.1 999 \r\ncontent-length: 0\r\n\r\n"),
    "one field without an end": poured("x: ", "a".repeat(65536)),
    "fields without an end": poured("", `x: ${"a".repeat(1000)}\r\n`.repeat(64)),
  };
  const pulls = Object.entries(answers).map(async ([what, answer]) => {
    await using server = await RawServer.start((_request, socket) => answer(socket));
    return `${what}: ${await pull(`${server.host}/a:1`)}`;
  });
  for (const told of await Promise.all(pulls)) expect(told).toMatch(/"message"|"error"/);
  expect((await daemon.request("GET", "/_ping")).status).toBe(200);
});

test("silence and drips end within the documented 30 seconds and a few tries of connecting", async () => {
  limitMilliseconds = 60_000;
  const drip = (start: string, piece: string) => (socket: Socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(piece), 100);
    socket.on("close", () => clearInterval(timer));
  };
  const ok = `HTTP/1.1 200 OK\r\ncontent-type: ${mediaTypes.ociManifest}\r\n`;
  const answers: Readonly<Record<string, (socket: Socket) => void>> = {
    "no answer": () => {},
    "a head that drips": drip("HTTP/1.1 200 OK\r\nx: ", "a"),
    "a manifest that drips": drip(`${ok}content-length: 4000000\r\n\r\n{"a":"`, "a"),
    "an error that drips": drip("HTTP/1.1 400 Bad Request\r\ncontent-length: 60000\r\n\r\n{", " "),
  };
  const pulls = Object.entries(answers).map(async ([what, answer]) => {
    await using server = await RawServer.start(({ method }, socket) => {
      if (method === "HEAD") socket.end("HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      else answer(socket);
    });
    const told = await pull(`${server.host}/a:1`);
    await until(() => server.openCount === 0, 5000);
    return `${what}: ${told}`;
  });
  for (const told of await Promise.all(pulls)) expect(told).toMatch(/Timeout exceeded|too long to answer|unexpected HTTP status/);
}, 120_000);
