import { describe, expect, test } from "bun:test";
import { json } from "./response.ts";
import { del, get, post, upgrade } from "./route.ts";
import { Router, type RouteMatch } from "./router.ts";
import { apiVersionOf } from "./version.ts";

const answer = () => json(200, {});
const router = new Router([
  get("/containers/:name/json", answer),
  get("/containers/json", answer),
  post("/containers/:name/stop", answer),
  get("/images/:name*/json", answer),
  del("/images/:name*", answer),
  get("/images/json", answer),
  get("/new", answer, { minimumVersion: apiVersionOf(1, 50) }),
  upgrade("/containers/:name/attach", async () => {}),
  upgrade("/containers/:name/attach/ws", async () => {}, { method: "GET" }),
]);

function match(method: string, target: string): RouteMatch {
  const found = router.resolve(method, target);
  if ("status" in found) throw new Error(`answered ${found.status}`);
  return found;
}

describe("Router.resolve()", () => {
  test.each([
    ["GET", "/containers/json", "/containers/json", {}],
    ["GET", "/v1.44/containers/json", "/containers/json", {}],
    ["GET", "/v1.41.2/containers/json/", "/containers/json", {}],
    ["GET", "/containers/web/json?size=1", "/containers/:name/json", { name: "web" }],
    ["GET", "/containers/a%2Fb/json", "/containers/:name/json", { name: "a/b" }],
    ["POST", "/containers/web/stop/", "/containers/:name/stop", { name: "web" }],
    ["GET", "/images/registry.example:5000/team/app:1/json", "/images/:name*/json", { name: "registry.example:5000/team/app:1" }],
    ["GET", "/images/team%2Fapp/json", "/images/:name*/json", { name: "team/app" }],
    ["DELETE", "/images/team/app", "/images/:name*", { name: "team/app" }],
    ["GET", "/images/json", "/images/json", {}],
    ["GET", "http://docker/containers/json", "/containers/json", {}],
    ["GET", "/containers/__proto__/json", "/containers/:name/json", { name: "__proto__" }],
  ])("%s %s is the route %s", (method, target, pattern, params) => {
    const found = match(method, target);
    expect(found.route.pattern).toBe(pattern);
    expect({ ...found.params }).toEqual(params);
  });

  test.each([
    ["GET", "/nope"],
    ["PUT", "/containers/json"],
    ["FOO", "/containers/json"],
    ["HEAD", "/containers/json"],
    ["GET", "/containers//json"],
    ["GET", "/vabc/containers/json"],
    ["GET", "/v1.10/nope"],
    ["GET", "/v1.49/new"],
  ])("%s %s is no page of ours", (method, target) => {
    // An empty segment is a redirect to the shortest form, which is a page or not by itself.
    if (target.includes("//")) return expect(router.resolve(method, target)).toMatchObject({ status: 301 });
    expect(() => router.resolve(method, target)).toThrow("page not found");
  });

  test.each([
    [
      "/v1.23/containers/json",
      "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
    ],
    [
      "/v1/containers/json",
      "client version 1 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
    ],
    ["/v1.57/containers/json", "client version 1.57 is too new. Maximum supported API version is 1.56"],
    ["/v1.100/containers/json", "client version 1.100 is too new. Maximum supported API version is 1.56"],
    ["/v2.0/containers/json", "client version 2.0 is too new. Maximum supported API version is 1.56"],
    ["/containers/%zz/json", 'invalid URL escape "%zz"'],
    ["/containers/%ff/json", 'invalid URL escape "/containers/%ff/json"'],
    ["/containers/a%00b/json", "invalid character NUL in path"],
    ["/containers/json?a=%z", 'invalid URL escape "%z"'],
    ["/containers/json?a=1;b=2", "invalid semicolon separator in query"],
  ])("GET %s is refused with Docker's text", (target, message) => {
    expect(() => router.resolve("GET", target)).toThrow(expect.objectContaining({ kind: "invalid", message }));
  });

  test("a version in the path is the request's, else it is the newest", () => {
    expect(match("GET", "/v1.24/containers/json").apiVersion).toBe(apiVersionOf(1, 24));
    expect(match("GET", "/containers/json").apiVersion).toBe(apiVersionOf(1, 56));
  });

  test("OPTIONS is answered for every path", () => {
    expect(router.resolve("OPTIONS", "/nope")).toMatchObject({ status: 200 });
    expect(router.resolve("OPTIONS", "*")).toMatchObject({ status: 200 });
  });

  test("a path with dots or empty segments is sent to its shortest form", () => {
    expect(router.resolve("GET", "/containers/../info?x=1")).toMatchObject({ status: 301, headers: { Location: "/info?x=1" } });
    expect(router.resolve("GET", "/containers/%2e%2e/json")).toMatchObject({ status: 301, headers: { Location: "/json" } });
  });
});

test("isUpgrade() knows the routes whose connection may be taken over", () => {
  expect(router.isUpgrade("POST", "/v1.41/containers/x/attach?stdin=1")).toBe(true);
  expect(router.isUpgrade("GET", "/containers/x/attach/ws")).toBe(true);
  expect(router.isUpgrade("GET", "/containers/x/attach")).toBe(false);
  expect(router.isUpgrade("POST", "/containers/x/stop")).toBe(false);
});
