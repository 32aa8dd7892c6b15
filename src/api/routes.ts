import type { SystemService } from "#engine/system/service.ts";
import type { VolumeService } from "#engine/volume/service.ts";
import { containerRoutes, type ContainerRouteServices } from "./container/routes.ts";
import { execRoutes } from "./exec/routes.ts";
import type { AnyRoute } from "./http/route.ts";
import { imageRoutes, type ImageRouteServices } from "./image/routes.ts";
import { networkRoutes } from "./network/routes.ts";
import { pluginRoutes } from "./plugin/routes.ts";
import { pruneRoutes } from "./prune/routes.ts";
import { swarmRoutes } from "./swarm/routes.ts";
import { systemRoutes } from "./system/routes.ts";
import { volumeRoutes } from "./volume/routes.ts";

export type ApiServices = ContainerRouteServices & ImageRouteServices & { readonly volumes: VolumeService; readonly system: SystemService };

/** Every operation of the Engine API that this daemon answers. */
export function apiRoutes(services: ApiServices): AnyRoute[] {
  return [
    ...systemRoutes(services.system, services),
    ...containerRoutes(services),
    ...execRoutes(services.execs, services.containers),
    ...imageRoutes(services),
    ...networkRoutes(services),
    ...volumeRoutes(services.volumes),
    ...pruneRoutes(services),
    ...pluginRoutes,
    ...swarmRoutes,
  ];
}
