import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { image, ociArchive } from "./fixtures.ts";
import { openMachine } from "./machine.ts";
import { refuse, TestRegistry } from "./registry.ts";

const password = Buffer.from(JSON.stringify({ username: "me", password: "secret" })).toString("base64url");
const made = image([{ one: randomBytes(1000) }]);

test("a mirror of any registry is asked first, told which one it stands for, and gets no credentials (B6)", async () => {
  await using mirror = await TestRegistry.start();
  mirror.put("team/app", "1", made);
  mirror.lie = (request, response) => {
    const url = new URL(request.url ?? "", "http://mirror");
    if (url.searchParams.get("ns") !== "registry.invalid") {
      refuse(response, 404, "NAME_UNKNOWN", "which registry?");
      return true;
    }
    request.url = url.pathname;
    return false;
  };
  await using machine = await openMachine({ mirrorsByRegistry: { "registry.invalid": [`http://${mirror.host}`] } });
  await machine.pull("registry.invalid/team/app:1", { auth: password });
  expect(machine.images.find("registry.invalid/team/app:1").id).toBe(made.config.digest);
  expect(mirror.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
  const before = mirror.requests.length;
  await expect(machine.push("registry.invalid/team/app:1", { auth: password })).rejects.toThrow('Get "https://registry.invalid/v2/"');
  expect(mirror.requests.length).toBe(before);
});

test("a mirror of all registries is for those that have none of their own; one that fails leads to the registry", async () => {
  await using origin = await TestRegistry.start();
  await using general = await TestRegistry.start();
  await using own = await TestRegistry.start();
  const name = origin.put("a", "1", made);
  const everywhere = { "*": [`http://${general.host}`] };
  await using one = await openMachine({ mirrorsByRegistry: everywhere });
  await one.pull(name);
  expect([general.requests.length > 0, origin.requests.length > 0]).toEqual([true, true]);
  const before = general.requests.length;
  await using two = await openMachine({ mirrorsByRegistry: { ...everywhere, [origin.host]: [`http://${own.host}`] } });
  await two.pull(name);
  expect([general.requests.length, own.requests.length > 0]).toEqual([before, true]);
});

test("registries are reached through the proxy of the settings, with its password, but for the exceptions", async () => {
  await using registry = await TestRegistry.start();
  registry.put("a", "1", made);
  const seen: string[] = [];
  const proxy = createServer((request, response) => {
    const url = new URL(request.url ?? "");
    seen.push(`${url.host} ${request.headers["proxy-authorization"] ?? ""}`);
    void (async () => {
      const answer = await fetch(`http://${registry.host}${url.pathname}${url.search}`, { method: request.method ?? "GET", proxy: false });
      const headers = ["content-type", "docker-content-digest"].flatMap((name) => answer.headers.get(name) ?? []);
      response.writeHead(answer.status, { "content-type": headers[0] ?? "", "docker-content-digest": headers[1] ?? "" });
      response.end(Buffer.from(await answer.arrayBuffer()));
    })();
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  try {
    const httpProxy = `http://me:geheim@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const settings = { insecureRegistries: ["registry.invalid"], proxies: { httpProxy, noProxy: "other.invalid" } };
    await using machine = await openMachine(settings);
    await machine.pull("registry.invalid/a:1");
    expect(new Set(seen)).toEqual(new Set([`registry.invalid Basic ${Buffer.from("me:geheim").toString("base64")}`]));
    await using excepted = await openMachine({ ...settings, insecureRegistries: ["other.invalid"] });
    const error: unknown = await excepted.pull("other.invalid/a:1").catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/no such host|server misbehaving/);
    expect(String(error)).not.toContain("geheim");
    // What this runtime would read by itself has no say.
    process.env["HTTP_PROXY"] = "http://127.0.0.1:1";
    await using direct = await openMachine();
    await direct.pull(`${registry.host}/a:1`);
    await direct.load(ociArchive(made, {}));
  } finally {
    delete process.env["HTTP_PROXY"];
    proxy.closeAllConnections();
    proxy.close();
  }
});
