import { defaultDataRoot, execRootOf } from "../../src/lib/instance.ts";

/** Where `npm start` keeps an engine. GANTRY_DATA_ROOT, GANTRY_EXEC_ROOT and GANTRY_HOST put it elsewhere, beside others. */
export interface Place {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly socket: string;
  /** Value for `-H` and DOCKER_HOST. */
  readonly host: string;
  readonly logFile: string;
  readonly isDefault: boolean;
}

/** @throws when GANTRY_HOST is no unix socket */
export function placeOf(environment: NodeJS.ProcessEnv): Place {
  const dataRoot = environment["GANTRY_DATA_ROOT"] || defaultDataRoot;
  const execRoot = environment["GANTRY_EXEC_ROOT"] || execRootOf(dataRoot);
  const host = environment["GANTRY_HOST"] || `unix://${execRoot}/gantry.sock`;
  if (!host.startsWith("unix:///")) throw new Error(`GANTRY_HOST ${JSON.stringify(host)} must be a unix socket: unix:///run/…/gantry.sock`);
  const isDefault = dataRoot === defaultDataRoot && execRoot === execRootOf(dataRoot) && !environment["GANTRY_HOST"];
  const logFile = isDefault ? "/var/log/gantry/daemon.log" : `${dataRoot}/daemon.log`;
  return { dataRoot, execRoot, host, socket: host.slice("unix://".length), logFile, isDefault };
}

/** Arguments of `gantry daemon` for this place. */
export function daemonArguments({ dataRoot, execRoot, host, isDefault }: Place): string[] {
  return isDefault ? [] : ["--data-root", dataRoot, "--exec-root", execRoot, "-H", host];
}
