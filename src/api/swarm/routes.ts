import { EngineError } from "#lib/errors.ts";
import { del, get, post, type AnyRoute } from "../http/route.ts";

/** What dockerd answers on every one of these when it is in no swarm. */
function notManager(): never {
  throw new EngineError(
    "unavailable",
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
  );
}

const paths: readonly (readonly ["GET" | "POST" | "DELETE", string])[] = [
  ["GET", "/swarm"],
  ["POST", "/swarm/init"],
  ["POST", "/swarm/join"],
  ["POST", "/swarm/update"],
  ["GET", "/swarm/unlockkey"],
  ["POST", "/swarm/unlock"],
  ["GET", "/nodes"],
  ["GET", "/nodes/:id"],
  ["DELETE", "/nodes/:id"],
  ["POST", "/nodes/:id/update"],
  ["GET", "/services"],
  ["POST", "/services/create"],
  ["GET", "/services/:id"],
  ["DELETE", "/services/:id"],
  ["POST", "/services/:id/update"],
  ["GET", "/services/:id/logs"],
  ["GET", "/tasks"],
  ["GET", "/tasks/:id"],
  ["GET", "/tasks/:id/logs"],
  ["GET", "/secrets"],
  ["POST", "/secrets/create"],
  ["GET", "/secrets/:id"],
  ["DELETE", "/secrets/:id"],
  ["POST", "/secrets/:id/update"],
  ["GET", "/configs"],
  ["POST", "/configs/create"],
  ["GET", "/configs/:id"],
  ["DELETE", "/configs/:id"],
  ["POST", "/configs/:id/update"],
];

const declare = { GET: get, POST: post, DELETE: del };

/** Swarm operations of a daemon that is in no swarm. Source: Engine API, tags Swarm, Node, Service, Task, Secret, Config. */
export const swarmRoutes: readonly AnyRoute[] = [
  ...paths.map(([method, path]) => declare[method](path, notManager)),
  post("/swarm/leave", () => {
    throw new EngineError("unavailable", "This node is not part of a swarm");
  }),
];
