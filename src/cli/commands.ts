import type { Command, CommandLeaf, Description, ExternalLeaf, Group, Leaf } from "./command.ts";

const leaf = (names: string, summary: string, load: () => Promise<Command>): CommandLeaf => {
  const [name = "", ...otherNames] = names.split(" ");
  return { kind: "command", name, otherNames, summary, load };
};

const external = (name: string, summary: string, load: () => Promise<Description>): ExternalLeaf => {
  return { kind: "external", name, otherNames: [], summary, load };
};

/** The same command under another name at the top. */
const as = (name: string, command: Leaf): Leaf => ({ ...command, name, otherNames: [] });

// Each module is loaded when its command is called: that keeps the start of every command short.
const attach = leaf("attach", "Connect this terminal to the program of a running container", () =>
  import("./container/attach.ts").then((m) => m.attach),
);
const commit = leaf("commit", "Make an image of what a container has changed", () => import("./container/commit.ts").then((m) => m.commit));
const cp = leaf("cp", "Copy files between a container and this host", () => import("./container/cp.ts").then((m) => m.cp));
const create = leaf("create", "Make a container without starting it", () => import("./container/create.ts").then((m) => m.create));
const diff = leaf("diff", "List what a container has changed of its image", () => import("./container/diff.ts").then((m) => m.diff));
const exec = leaf("exec", "Run another program inside a running container", () => import("./container/exec.ts").then((m) => m.exec));
const exportLeaf = leaf("export", "Write the file system of a container as a tar archive", () =>
  import("./container/export.ts").then((m) => m.exportContainer),
);
const kill = leaf("kill", "Send a signal to containers, SIGKILL unless told otherwise", () =>
  import("./container/kill.ts").then((m) => m.kill),
);
const logs = leaf("logs", "Print what a container has written", () => import("./container/logs.ts").then((m) => m.logs));
const listContainers = leaf("ls list ps", "List containers", () => import("./container/ls.ts").then((m) => m.ls));
const pause = leaf("pause", "Freeze the processes of containers", () => import("./container/pause.ts").then((m) => m.pause));
const port = leaf("port", "Show which ports of the host lead to a container", () => import("./container/port.ts").then((m) => m.port));
const rename = leaf("rename", "Rename a container", () => import("./container/rename.ts").then((m) => m.rename));
const restart = leaf("restart", "Stop containers and start them again", () => import("./container/restart.ts").then((m) => m.restart));
const remove = leaf("rm remove", "Remove containers", () => import("./container/rm.ts").then((m) => m.rm));
const run = leaf("run", "Make a container from an image and start it", () => import("./container/run.ts").then((m) => m.run));
const save = leaf("save", "Write images to a tar archive", () => import("./image/save.ts").then((m) => m.save));
const start = leaf("start", "Start containers that do not run", () => import("./container/start.ts").then((m) => m.start));
const stats = leaf("stats", "Show what containers use of processors, memory, network and disks", () =>
  import("./container/stats.ts").then((m) => m.stats),
);
const stop = leaf("stop", "Ask containers to end, then kill those that did not", () => import("./container/stop.ts").then((m) => m.stop));
const top = leaf("top", "List the processes of a container", () => import("./container/top.ts").then((m) => m.top));
const unpause = leaf("unpause", "Let frozen containers go on", () => import("./container/unpause.ts").then((m) => m.unpause));
const update = leaf("update", "Change limits and restart policy of containers", () =>
  import("./container/update.ts").then((m) => m.update),
);
const wait = leaf("wait", "Wait for containers to end and print their exit codes", () => import("./container/wait.ts").then((m) => m.wait));

const history = leaf("history", "List the steps that made an image", () => import("./image/history.ts").then((m) => m.history));
const importLeaf = leaf("import", "Make an image of an archive of files", () => import("./image/import.ts").then((m) => m.importImage));
const load = leaf("load", "Take images from a tar archive", () => import("./image/load.ts").then((m) => m.load));
const listImages = leaf("ls list", "List images", () => import("./image/ls.ts").then((m) => m.ls));
const pull = leaf("pull", "Fetch an image from a registry", () => import("./image/pull.ts").then((m) => m.pull));
const push = leaf("push", "Send an image to a registry", () => import("./image/push.ts").then((m) => m.push));
const removeImage = leaf("rm remove", "Remove images, or some of their names", () => import("./image/rm.ts").then((m) => m.rm));
const tag = leaf("tag", "Give an image another name", () => import("./image/tag.ts").then((m) => m.tag));

const login = leaf("login", "Log in at a registry", () => import("./registry/login.ts").then((m) => m.login));
const logout = leaf("logout", "Forget the log-in at a registry", () => import("./registry/logout.ts").then((m) => m.logout));
const search = leaf("search", "Search a registry for images", () => import("./registry/search.ts").then((m) => m.search));

const events = leaf("events", "Print what happens in the daemon, as it happens", () => import("./system/events.ts").then((m) => m.events));
const info = leaf("info", "Describe the daemon and its host", () => import("./system/info.ts").then((m) => m.info));
const version = leaf("version", "Print the versions of client and daemon", () =>
  import("./system/version.ts").then((m) => m.versionCommand),
);
const inspect = leaf("inspect", "Print everything about containers, images, networks or volumes", () =>
  import("./inspect/inspect.ts").then((m) => m.inspect),
);

export const groups: readonly Group[] = [
  {
    name: "checkpoint",
    summary: "Manage checkpoints, where the daemon has them",
    children: [
      leaf("create", "Write down what a running container is at", () => import("./checkpoint/create.ts").then((m) => m.create)),
      leaf("ls list", "List the checkpoints of a container", () => import("./checkpoint/ls.ts").then((m) => m.ls)),
      leaf("rm remove", "Remove a checkpoint", () => import("./checkpoint/rm.ts").then((m) => m.rm)),
    ],
  },
  {
    name: "container",
    summary: "Manage containers",
    children: [
      attach,
      commit,
      cp,
      create,
      diff,
      exec,
      exportLeaf,
      leaf("inspect", "Print everything about containers", () => import("./container/inspect.ts").then((m) => m.inspect)),
      kill,
      logs,
      listContainers,
      pause,
      port,
      leaf("prune", "Remove containers that do not run", () => import("./container/prune.ts").then((m) => m.prune)),
      rename,
      restart,
      remove,
      run,
      start,
      stats,
      stop,
      top,
      unpause,
      update,
      wait,
    ],
  },
  {
    name: "image",
    summary: "Manage images",
    children: [
      leaf("bootstrap", "Make a first image from packages of this host's distribution", () =>
        import("./image/bootstrap.ts").then((m) => m.bootstrap),
      ),
      history,
      importLeaf,
      leaf("inspect", "Print everything about images", () => import("./image/inspect.ts").then((m) => m.inspect)),
      load,
      listImages,
      leaf("prune", "Remove images without a name that nothing uses", () => import("./image/prune.ts").then((m) => m.prune)),
      leaf("referrers", "List what refers to an image: signatures, bills of materials", () =>
        import("./image/referrers.ts").then((m) => m.referrers),
      ),
      pull,
      push,
      removeImage,
      save,
      tag,
      leaf("verify", "Read images again and compare them with their digests", () => import("./image/verify.ts").then((m) => m.verify)),
    ],
  },
  {
    name: "manifest",
    summary: "Make lists of manifests: one name for an image of several platforms",
    children: [
      leaf("annotate", "Say for which platform a manifest of a list is", () => import("./manifest/annotate.ts").then((m) => m.annotate)),
      leaf("create", "Make a list of manifests", () => import("./manifest/create.ts").then((m) => m.create)),
      leaf("inspect", "Print a manifest, or a list of them", () => import("./manifest/inspect.ts").then((m) => m.inspect)),
      leaf("push", "Send a list of manifests to a registry", () => import("./manifest/push.ts").then((m) => m.push)),
      leaf("rm", "Forget lists of manifests", () => import("./manifest/rm.ts").then((m) => m.rm)),
    ],
  },
  {
    name: "network",
    summary: "Manage networks",
    children: [
      leaf("connect", "Join a container to a network", () => import("./network/connect.ts").then((m) => m.connect)),
      leaf("create", "Create a network", () => import("./network/create.ts").then((m) => m.create)),
      leaf("disconnect", "Take a container out of a network", () => import("./network/disconnect.ts").then((m) => m.disconnect)),
      leaf("inspect", "Print everything about networks", () => import("./network/inspect.ts").then((m) => m.inspect)),
      leaf("ls list", "List networks", () => import("./network/ls.ts").then((m) => m.ls)),
      leaf("prune", "Remove networks without containers", () => import("./network/prune.ts").then((m) => m.prune)),
      leaf("rm remove", "Remove networks", () => import("./network/rm.ts").then((m) => m.rm)),
    ],
  },
  {
    name: "system",
    summary: "Manage the daemon",
    children: [
      external("audit", "Compare the records of an engine with its host", () => import("./system/audit.ts").then((m) => m.audit)),
      leaf("df", "Show how much disk space is used, and for what", () => import("./system/df.ts").then((m) => m.df)),
      events,
      leaf("gc", "Remove images by the daemon's own policy, or say what it would remove and why", () =>
        import("./system/gc.ts").then((m) => m.gc),
      ),
      info,
      leaf("prune", "Remove containers, networks and images that nothing uses", () => import("./system/prune.ts").then((m) => m.prune)),
      external("purge", "Take away all that an engine has made on this host", () => import("./system/purge.ts").then((m) => m.purge)),
    ],
  },
  {
    name: "volume",
    summary: "Manage volumes",
    children: [
      leaf("create", "Create a volume", () => import("./volume/create.ts").then((m) => m.create)),
      leaf("inspect", "Print everything about volumes", () => import("./volume/inspect.ts").then((m) => m.inspect)),
      leaf("ls list", "List volumes", () => import("./volume/ls.ts").then((m) => m.ls)),
      leaf("prune", "Remove unnamed volumes that no container uses", () => import("./volume/prune.ts").then((m) => m.prune)),
      leaf("rm remove", "Remove volumes", () => import("./volume/rm.ts").then((m) => m.rm)),
    ],
  },
];

export const commonCommands: readonly Leaf[] = [
  run,
  exec,
  as("ps", listContainers),
  pull,
  push,
  as("images", listImages),
  login,
  logout,
  search,
  version,
  info,
];

export const otherCommands: readonly Leaf[] = [
  attach,
  commit,
  {
    ...leaf("completion", "Generate the completion script of a shell", () => import("./completion.ts").then((m) => m.completion)),
    isLocal: true,
  },
  {
    ...leaf("__complete", "Print what may follow a command line", () => import("./completion.ts").then((m) => m.complete)),
    isHidden: true,
  },
  cp,
  create,
  external("daemon", "Run the engine", () => import("./system/daemon.ts").then((m) => m.daemon)),
  diff,
  external("doctor", "Tell what this host lacks, and how to get it", () => import("./system/doctor.ts").then((m) => m.doctor)),
  events,
  exportLeaf,
  history,
  importLeaf,
  inspect,
  kill,
  load,
  logs,
  pause,
  port,
  rename,
  restart,
  as("rm", remove),
  as("rmi", removeImage),
  save,
  start,
  stats,
  stop,
  tag,
  top,
  unpause,
  update,
  wait,
];

/** A top-level command or group by its name. */
export function findTop(name: string): Leaf | Group | undefined {
  const byName = (one: Leaf): boolean => one.name === name;
  return commonCommands.find(byName) ?? otherCommands.find(byName) ?? groups.find((group) => group.name === name);
}

/** A command of a group by one of its names. */
export function findIn(group: Group, name: string): Leaf | undefined {
  return group.children.find((child) => child.name === name || child.otherNames.includes(name));
}

/** Every way to call a command, without the program's name. */
export function pathsOf(command: Leaf): readonly string[] {
  const same = (one: Leaf): boolean => one.load === command.load;
  const inGroups = groups.flatMap((group) =>
    group.children.filter(same).flatMap((child) => [child.name, ...child.otherNames].map((name) => `${group.name} ${name}`)),
  );
  return [...inGroups, ...[...commonCommands, ...otherCommands].filter(same).map((one) => one.name)];
}
