import { EngineError } from "#lib/errors.ts";
import { booleanFilter, queryFilters } from "../decode/filters.ts";
import { json } from "../http/response.ts";
import { del, get, post, type AnyRoute } from "../http/route.ts";

/** Operations of a daemon that has no plugins and installs none. Source: Engine API, tag Plugin. */
export const pluginRoutes: readonly AnyRoute[] = [
  get("/plugins", ({ query }) => {
    booleanFilter(queryFilters(query, ["capability", "enabled"]), "enabled");
    return json(200, []);
  }),
  get("/plugins/:name*/json", ({ params }) => noPlugin(params.name)),
  post("/plugins/:name*/enable", ({ params }) => noPlugin(params.name)),
  post("/plugins/:name*/disable", ({ params }) => noPlugin(params.name)),
  post("/plugins/:name*/push", ({ params }) => noPlugin(params.name)),
  post("/plugins/:name*/set", ({ params }) => noPlugin(params.name)),
  post("/plugins/:name*/upgrade", ({ params }) => noPlugin(params.name)),
  del("/plugins/:name*", ({ params }) => noPlugin(params.name)),
  get("/plugins/privileges", () => refuseInstallation()),
  post("/plugins/pull", () => refuseInstallation()),
  post("/plugins/create", () => refuseInstallation()),
];

function noPlugin(name: string): never {
  throw new EngineError("not_found", `plugin ${JSON.stringify(name)} not found`);
}

function refuseInstallation(): never {
  throw new EngineError("not_implemented", "plugins are not implemented");
}
