import type { PlayBook } from "../play.ts";
import { badInput } from "./bad-input.ts";
import { checkpoint } from "./checkpoint.ts";
import { checkpointExperimental } from "./checkpoint-experimental.ts";
import { cliCommands } from "./cli-commands.ts";
import { containerArchive } from "./container-archive.ts";
import { containerCreate } from "./container-create.ts";
import { containerLimits } from "./container-limits.ts";
import { containerLife } from "./container-life.ts";
import { containerStreams } from "./container-streams.ts";
import { containerResources } from "./container-resources.ts";
import { events } from "./events.ts";
import { exec } from "./exec.ts";
import { healthChecks } from "./health.ts";
import { image } from "./image.ts";
import { imageMade } from "./image-made.ts";
import { imagePlatforms } from "./image-platforms.ts";
import { links } from "./links.ts";
import { logDrivers } from "./log-drivers.ts";
import { logs } from "./logs.ts";
import { mounts } from "./mounts.ts";
import { network } from "./network.ts";
import { registries } from "./registry.ts";
import { system } from "./system.ts";
import { userNamespaces } from "./user-namespace.ts";
import { volume } from "./volume.ts";
import { volumeSize } from "./volume-size.ts";

/** Everything that is played. */
export const books: readonly PlayBook[] = [
  system,
  containerCreate,
  containerLife,
  containerLimits,
  containerResources,
  healthChecks,
  containerStreams,
  containerArchive,
  logs,
  logDrivers,
  exec,
  image,
  imageMade,
  imagePlatforms,
  registries,
  network,
  volume,
  volumeSize,
  mounts,
  links,
  userNamespaces,
  events,
  checkpoint,
  checkpointExperimental,
  cliCommands,
  badInput,
];
