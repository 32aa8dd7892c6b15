import { posix } from "node:path";
import { EngineError } from "#lib/errors.ts";
import { empty, type ApiResponse } from "./response.ts";
import type { AnyRoute } from "./route.ts";
import { newestApiVersion, parseApiVersion, type ApiVersion } from "./version.ts";
import { parseQuery } from "../decode/query.ts";

/** A route that fits a request line, with what the line says. */
export interface RouteMatch {
  readonly route: AnyRoute;
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly apiVersion: ApiVersion;
}

interface CompiledRoute {
  readonly route: AnyRoute;
  readonly expression: RegExp;
  readonly names: readonly string[];
}

/** Finds the route of a request line. Literal patterns win over those with parameters, then the order of the table counts. */
export class Router {
  /** By method and first segment, so that a look-up tries a handful of expressions and not all of the API. */
  readonly #byStart = new Map<string, CompiledRoute[]>();
  readonly #upgrades: CompiledRoute[] = [];

  constructor(routes: readonly AnyRoute[]) {
    const literalFirst = [...routes].sort((a, b) => Number(a.pattern.includes(":")) - Number(b.pattern.includes(":")));
    for (const route of literalFirst) {
      const compiled = compile(route);
      const key = startOf(route.method, route.pattern);
      const list = this.#byStart.get(key) ?? [];
      list.push(compiled);
      this.#byStart.set(key, list);
      if ("upgrade" in route) this.#upgrades.push(compiled);
    }
  }

  /** True when the connection of this request may be taken over. Cheap: asked before anything of the request is parsed. */
  isUpgrade(method: string, target: string): boolean {
    if (method !== "POST" && method !== "GET") return false;
    const { path } = splitTarget(target);
    const bare = withoutVersion(path).path;
    return this.#upgrades.some(({ route, expression }) => route.method === method && expression.test(bare));
  }

  /**
   * @returns the route, or an answer when none is needed (OPTIONS, a path that is not in its shortest form)
   * @throws {EngineError} `not_found` "page not found", also for a wrong method as in dockerd; `invalid` for a version out of range and
   * for broken escapes
   */
  resolve(method: string, target: string): RouteMatch | ApiResponse {
    const { path: raw, search } = splitTarget(target);
    const decoded = unescape(raw);
    const shortest = posix.normalize(decoded);
    if (shortest !== decoded) return empty(301, { Location: encodeURI(shortest) + (search && `?${search}`) });
    const { path, version } = withoutVersion(raw);
    if (method === "OPTIONS") {
      if (version !== undefined) parseApiVersion(version);
      return empty(200);
    }
    const found = this.#find(method, path);
    if (!found) throw pageNotFound();
    const apiVersion = version === undefined ? newestApiVersion : parseApiVersion(version);
    if (apiVersion < (found.route.options.minimumVersion ?? 0)) throw pageNotFound();
    return { route: found.route, params: found.params, path: unescape(path), query: parseQuery(search), apiVersion };
  }

  #find(method: string, path: string): Pick<RouteMatch, "route" | "params"> | undefined {
    for (const { route, expression, names } of this.#byStart.get(startOf(method, path)) ?? []) {
      const match = expression.exec(path);
      if (!match) continue;
      const params: Record<string, string> = Object.create(null); // a parameter is plain data, whatever it is called
      names.forEach((name, index) => (params[name] = unescape(match[index + 1] ?? "")));
      return { route, params };
    }
    return undefined;
  }
}

const pageNotFound = (): EngineError => new EngineError("not_found", "page not found");

function startOf(method: string, path: string): string {
  const slash = path.indexOf("/", 1);
  return `${method} ${slash < 0 ? path : path.slice(0, slash)}`;
}

function compile(route: AnyRoute): CompiledRoute {
  const names: string[] = [];
  const source = route.pattern.split("/").map((segment) => {
    if (!segment.startsWith(":")) return segment.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const greedy = segment.endsWith("*");
    names.push(greedy ? segment.slice(1, -1) : segment.slice(1));
    return greedy ? "(.+)" : "([^/]+)";
  });
  return { route, names, expression: new RegExp(`^${source.join("/")}/?$`) };
}

/** Path and query of a request target; one in absolute form (RFC 9112, 3.2.2) loses its scheme and host. */
function splitTarget(target: string): { path: string; search: string } {
  const origin = target.startsWith("/") ? target : target.replace(/^[a-z]+:\/\/[^/?]*/i, "");
  const mark = origin.indexOf("?");
  const path = mark < 0 ? origin : origin.slice(0, mark);
  return { path: path.startsWith("/") ? path : `/${path}`, search: mark < 0 ? "" : origin.slice(mark + 1) };
}

function withoutVersion(path: string): { path: string; version?: string } {
  const match = /^\/v([0-9.]+)(\/.*)$/.exec(path);
  return match ? { version: match[1] ?? "", path: match[2] ?? "" } : { path };
}

function unescape(text: string): string {
  if (!text.includes("%")) return text;
  checkEscapes(text);
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    // The escapes are well formed, but their bytes are no UTF-8: no name of ours.
    throw new EngineError("invalid", `invalid URL escape ${JSON.stringify(text.slice(0, 100))}`);
  }
  if (decoded.includes("\0")) throw new EngineError("invalid", "invalid character NUL in path");
  return decoded;
}

function checkEscapes(text: string): void {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text);
  if (bad) throw new EngineError("invalid", `invalid URL escape ${JSON.stringify(bad[0])}`);
}
