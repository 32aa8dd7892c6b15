/**
 * Names of everything an engine makes on its host. They derive from the instance and the owner's id, so that the owner's
 * record alone tells what must be there, and an orphan can be recognised by its name.
 */
export interface Instance {
  /** Four hex digits, made at the first start of a data root. */
  readonly id: string;
  /** `gantry` at the default data root, else `gantry-ID`. */
  readonly name: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  /** Bridge of the network named `bridge`. */
  readonly defaultBridge: string;
  readonly nftTable: string;
  /** Below the root of each cgroup hierarchy. */
  readonly cgroupParent: string;
  /** Every link of user-defined networks and containers begins with it. */
  readonly linkPrefix: string;
}

export const defaultDataRoot = "/var/lib/gantry";
export const defaultExecRoot = "/run/gantry";
const maximumLinkName = 15; // IFNAMSIZ - 1

export function instanceOf(id: string, dataRoot: string, execRoot: string): Instance {
  const isDefault = dataRoot === defaultDataRoot;
  const name = isDefault ? "gantry" : `gantry-${id}`;
  return {
    id,
    name,
    dataRoot,
    execRoot,
    defaultBridge: isDefault ? "gantry0" : `gt${id}0`,
    nftTable: name,
    cgroupParent: name,
    linkPrefix: isDefault ? "gt" : `g${id}`,
  };
}

/** Exec root that belongs to a data root when none is named. */
export function execRootOf(dataRoot: string): string {
  if (dataRoot === defaultDataRoot) return defaultExecRoot;
  return `/run/gantry-${new Bun.CryptoHasher("sha256").update(dataRoot).digest("hex").slice(0, 8)}`;
}

/** Projects of a file system with quotas: of each instance 2^14, from 2^30 on, by its id. The first one is the daemon's own, for its probe. */
export function projectRange({ id }: Pick<Instance, "id">): { readonly first: number; readonly count: number } {
  const count = 2 ** 14;
  return { first: 2 ** 30 + Number.parseInt(id, 16) * count, count };
}

/** Bridge of a user-defined network. */
export function bridgeName(instance: Instance, networkId: string): string {
  return `${instance.linkPrefix}b${networkId}`.slice(0, maximumLinkName);
}

/** Host side of the veth pair of an endpoint. */
export function vethName(instance: Instance, endpointId: string): string {
  return `${instance.linkPrefix}v${endpointId}`.slice(0, maximumLinkName);
}

/** Every place of the data root and the exec root. Nothing else in the tree joins these paths. */
export function instancePaths(instance: Pick<Instance, "dataRoot" | "execRoot">) {
  const { dataRoot, execRoot } = instance;
  return {
    database: `${dataRoot}/gantry.db`,
    lock: `${dataRoot}/lock`,
    content: `${dataRoot}/content`,
    layers: `${dataRoot}/layers`,
    volumes: `${dataRoot}/volumes`,
    temporary: `${dataRoot}/tmp`,
    containers: `${dataRoot}/containers`,
    container: (id: string) => containerPaths(dataRoot, execRoot, id),
    runtimeState: `${execRoot}/runtime`,
    bundles: `${execRoot}/bundles`,
    /** What a start attaches for the runtime to bind; nothing is below it at other times. Never removed with what is in it. */
    mounts: `${execRoot}/mounts`,
    /** Root file systems of containers with a user namespace, while a start attaches them for the runtime. */
    roots: `${execRoot}/roots`,
    execs: `${execRoot}/execs`,
    /** A socket's path has at most 107 bytes: short id. */
    exec: (id: string) => `${execRoot}/execs/${id.slice(0, 16)}`,
    exits: `${execRoot}/exits`,
    networkNamespaces: `${execRoot}/netns`,
    bootId: `${execRoot}/boot-id`,
    pidFile: `${execRoot}/gantry.pid`,
  };
}

function containerPaths(dataRoot: string, execRoot: string, id: string) {
  const folder = `${dataRoot}/containers/${id}`;
  // conmon's sockets live in the bundle, and a socket's path has at most 107 bytes: short id.
  const bundle = `${execRoot}/bundles/${id.slice(0, 16)}`;
  return {
    folder,
    upper: `${folder}/upper`,
    work: `${folder}/work`,
    rootfs: `${folder}/rootfs`,
    /** Of a container whose size is limited: a file system in a file, and where it is mounted. It holds `upper` and `work` then. */
    disk: `${folder}/disk`,
    limited: `${folder}/limited`,
    spool: `${folder}/spool`,
    spoolLog: `${folder}/spool/log`,
    logs: `${folder}/logs`,
    checkpoints: `${folder}/checkpoints`,
    hosts: `${folder}/hosts`,
    hostname: `${folder}/hostname`,
    resolvConf: `${folder}/resolv.conf`,
    // Not on the data root: conmon that cannot write there, for a full disk, ends without telling the exit code at all.
    persist: `${bundle}/persist`,
    bundle,
    mounts: `${execRoot}/mounts/${id.slice(0, 16)}`,
    root: `${execRoot}/roots/${id.slice(0, 16)}/root`,
  };
}
