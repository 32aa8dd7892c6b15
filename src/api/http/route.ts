import type { HijackedStream } from "./hijacked-stream.ts";
import type { ApiRequest } from "./request.ts";
import type { ApiResponse } from "./response.ts";
import type { ApiVersion } from "./version.ts";

/** The parameter names of a pattern: `"/images/:name*\/json"` has `name`. */
export type ParameterNames<Pattern extends string> = Pattern extends `${string}:${infer Rest}`
  ? Rest extends `${infer Name}/${infer Tail}`
    ? WithoutStar<Name> | ParameterNames<`/${Tail}`>
    : WithoutStar<Rest>
  : never;
type WithoutStar<Name extends string> = Name extends `${infer Plain}*` ? Plain : Name;

export type Handler<Name extends string = string> = (request: ApiRequest<Name>) => Promise<ApiResponse> | ApiResponse;

/**
 * A handler that may take the connection over. Before `stream.accept()` it may return an answer or throw, as any handler. Once it has
 * accepted, the connection lives until the handler returns.
 */
export type UpgradeHandler<Name extends string = string> = (
  request: ApiRequest<Name>,
  stream: HijackedStream,
) => Promise<ApiResponse | void>;

export interface RouteOptions {
  /** Older clients get 404, as from a daemon that does not have the route yet. */
  readonly minimumVersion?: ApiVersion;
}

export interface Route {
  readonly method: string;
  readonly pattern: string;
  readonly handler: Handler;
  readonly options: RouteOptions;
}

export interface UpgradeRoute {
  readonly method: string;
  readonly pattern: string;
  readonly upgrade: UpgradeHandler;
  readonly options: RouteOptions;
}

export type AnyRoute = Route | UpgradeRoute;

type Declare = <const Pattern extends string>(pattern: Pattern, handler: Handler<ParameterNames<Pattern>>, options?: RouteOptions) => Route;

const declare =
  (method: string): Declare =>
  (pattern, handler, options = {}) => ({ method, pattern, handler: handler, options });

/**
 * A route as data. Patterns are literal segments, `:name` for one segment, and `:name*` for one or more (names of images have slashes).
 * The version prefix and a trailing slash are the router's business.
 */
export const get = declare("GET");
export const post = declare("POST");
export const put = declare("PUT");
export const head = declare("HEAD");
export const del = declare("DELETE");

/** A route whose connection may stop speaking HTTP: POST (attach, exec start, session), or GET for websockets. */
export function upgrade<const Pattern extends string>(
  pattern: Pattern,
  handler: UpgradeHandler<ParameterNames<Pattern>>,
  options: RouteOptions & { readonly method?: "POST" | "GET" } = {},
): UpgradeRoute {
  const { method = "POST", ...rest } = options;
  return { method, pattern, upgrade: handler, options: rest };
}
