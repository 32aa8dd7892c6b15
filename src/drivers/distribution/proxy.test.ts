import { expect, test } from "bun:test";
import { proxyFor } from "./proxy.ts";

const proxies = { httpProxy: "http://proxy:3128", httpsProxy: "secure-proxy:3129" };

test("the scheme of the request chooses the proxy; one without a scheme is http", () => {
  expect(proxyFor(new URL("http://registry.example/v2/"), proxies)).toBe("http://proxy:3128");
  expect(proxyFor(new URL("https://registry.example/v2/"), proxies)).toBe("http://secure-proxy:3129");
  expect(proxyFor(new URL("https://registry.example/v2/"), { httpProxy: "http://proxy:3128" })).toBeUndefined();
  expect(proxyFor(new URL("https://registry.example/v2/"), undefined)).toBeUndefined();
});

test.each(["http://localhost:5000/", "http://127.0.0.1/", "https://127.1.2.3/", "http://[::1]:5000/"])("%s needs no proxy", (url) => {
  expect(proxyFor(new URL(url), proxies)).toBeUndefined();
});

test.each<[string, string, boolean]>([
  ["https://registry.example/", "registry.example", true],
  ["https://sub.registry.example/", "registry.example", true],
  ["https://notregistry.example/", "registry.example", false],
  ["https://registry.example/", ".registry.example", false],
  ["https://sub.registry.example/", ".registry.example", true],
  ["https://sub.registry.example/", "*.registry.example", true],
  ["https://registry.example/", "other.example, REGISTRY.example", true],
  ["https://registry.example:5000/", "registry.example:5000", true],
  ["https://registry.example:5001/", "registry.example:5000", false],
  ["https://registry.example/", "registry.example:443", true],
  ["https://10.1.2.3/", "10.0.0.0/8", true],
  ["https://11.1.2.3/", "10.0.0.0/8", false],
  ["https://10.1.2.3:5000/", "10.1.2.3:5000", true],
  ["https://[fd00::1]/", "fd00::/8", true],
  ["https://[fd00::1]/", "fd00::1", true],
  ["https://registry.example/", "*", true],
  ["https://registry.example/", "", false],
])("%s with the exceptions %p", (url, noProxy, isExcepted) => {
  expect(proxyFor(new URL(url), { ...proxies, noProxy }) === undefined).toBe(isExcepted);
});
