import { Checkpoints } from "./checkpoints.ts";
import { Containers } from "./containers.ts";
import { Execs } from "./exec.ts";
import { Images } from "./images.ts";
import { Networks } from "./networks.ts";
import { System } from "./system.ts";
import type { Transport } from "./transport.ts";
import { Volumes } from "./volumes.ts";

/** The Engine API as calls grouped by Docker's nouns, over one transport. */
export class Client {
  readonly http: Transport;
  readonly containers: Containers;
  readonly checkpoints: Checkpoints;
  readonly execs: Execs;
  readonly images: Images;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly system: System;

  constructor(http: Transport) {
    this.http = http;
    this.containers = new Containers(http);
    this.checkpoints = new Checkpoints(http);
    this.execs = new Execs(http);
    this.images = new Images(http);
    this.networks = new Networks(http);
    this.volumes = new Volumes(http);
    this.system = new System(http);
  }
}
