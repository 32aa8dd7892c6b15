import type { Command, Group, Leaf } from "./command.ts";

const leaf = (names: string, summary: string, load: () => Promise<Command>): Leaf => {
  const [name = "", ...otherNames] = names.split(" ");
  return { name, otherNames, summary, load };
};

/** The same command under another name at the top. */
const as = (name: string, command: Leaf): Leaf => ({ ...command, name, otherNames: [] });

// Each module is loaded when its command is called: that keeps the start of every command short.
const attach = leaf("attach", "Attach local standard input, output, and error streams to a running container", () =>
  import("./container/attach.ts").then((m) => m.attach),
);
const create = leaf("create", "Create a new container", () => import("./container/create.ts").then((m) => m.create));
const exec = leaf("exec", "Execute a command in a running container", () => import("./container/exec.ts").then((m) => m.exec));
const kill = leaf("kill", "Kill one or more running containers", () => import("./container/kill.ts").then((m) => m.kill));
const logs = leaf("logs", "Fetch the logs of a container", () => import("./container/logs.ts").then((m) => m.logs));
const listContainers = leaf("ls list ps", "List containers", () => import("./container/ls.ts").then((m) => m.ls));
const port = leaf("port", "List port mappings or a specific mapping for the container", () =>
  import("./container/port.ts").then((m) => m.port),
);
const rename = leaf("rename", "Rename a container", () => import("./container/rename.ts").then((m) => m.rename));
const restart = leaf("restart", "Restart one or more containers", () => import("./container/restart.ts").then((m) => m.restart));
const remove = leaf("rm remove", "Remove one or more containers", () => import("./container/rm.ts").then((m) => m.rm));
const run = leaf("run", "Create and run a new container from an image", () => import("./container/run.ts").then((m) => m.run));
const start = leaf("start", "Start one or more stopped containers", () => import("./container/start.ts").then((m) => m.start));
const stop = leaf("stop", "Stop one or more running containers", () => import("./container/stop.ts").then((m) => m.stop));
const top = leaf("top", "Display the running processes of a container", () => import("./container/top.ts").then((m) => m.top));
const wait = leaf("wait", "Block until one or more containers stop, then print their exit codes", () =>
  import("./container/wait.ts").then((m) => m.wait),
);

const history = leaf("history", "Show the history of an image", () => import("./image/history.ts").then((m) => m.history));
const load = leaf("load", "Load an image from a tar archive or STDIN", () => import("./image/load.ts").then((m) => m.load));
const listImages = leaf("ls list", "List images", () => import("./image/ls.ts").then((m) => m.ls));
const pull = leaf("pull", "Download an image from a registry", () => import("./image/pull.ts").then((m) => m.pull));
const removeImage = leaf("rm remove", "Remove one or more images", () => import("./image/rm.ts").then((m) => m.rm));
const tag = leaf("tag", "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE", () => import("./image/tag.ts").then((m) => m.tag));

const events = leaf("events", "Get real time events from the server", () => import("./system/events.ts").then((m) => m.events));
const info = leaf("info", "Display system-wide information", () => import("./system/info.ts").then((m) => m.info));
const version = leaf("version", "Show the version information", () => import("./system/version.ts").then((m) => m.versionCommand));
const inspect = leaf("inspect", "Return low-level information on Docker objects", () =>
  import("./inspect/inspect.ts").then((m) => m.inspect),
);

export const groups: readonly Group[] = [
  {
    name: "container",
    summary: "Manage containers",
    children: [
      attach,
      create,
      exec,
      leaf("inspect", "Display detailed information on one or more containers", () =>
        import("./container/inspect.ts").then((m) => m.inspect),
      ),
      kill,
      logs,
      listContainers,
      port,
      leaf("prune", "Remove all stopped containers", () => import("./container/prune.ts").then((m) => m.prune)),
      rename,
      restart,
      remove,
      run,
      start,
      stop,
      top,
      wait,
    ],
  },
  {
    name: "image",
    summary: "Manage images",
    children: [
      leaf("bootstrap", "Make a first image from packages of this host's distribution", () => import("./image/bootstrap.ts").then((m) => m.bootstrap)),
      history,
      leaf("inspect", "Display detailed information on one or more images", () => import("./image/inspect.ts").then((m) => m.inspect)),
      load,
      listImages,
      leaf("prune", "Remove unused images", () => import("./image/prune.ts").then((m) => m.prune)),
      pull,
      removeImage,
      tag,
    ],
  },
  {
    name: "network",
    summary: "Manage networks",
    children: [
      leaf("connect", "Connect a container to a network", () => import("./network/connect.ts").then((m) => m.connect)),
      leaf("create", "Create a network", () => import("./network/create.ts").then((m) => m.create)),
      leaf("disconnect", "Disconnect a container from a network", () => import("./network/disconnect.ts").then((m) => m.disconnect)),
      leaf("inspect", "Display detailed information on one or more networks", () => import("./network/inspect.ts").then((m) => m.inspect)),
      leaf("ls list", "List networks", () => import("./network/ls.ts").then((m) => m.ls)),
      leaf("prune", "Remove all unused networks", () => import("./network/prune.ts").then((m) => m.prune)),
      leaf("rm remove", "Remove one or more networks", () => import("./network/rm.ts").then((m) => m.rm)),
    ],
  },
  {
    name: "system",
    summary: "Manage the daemon",
    children: [
      { ...leaf("audit", "Compare the records of an engine with its host", () => import("./system/audit.ts").then((m) => m.audit)), isLocal: true },
      leaf("df", "Show docker disk usage", () => import("./system/df.ts").then((m) => m.df)),
      events,
      info,
      leaf("prune", "Remove unused data", () => import("./system/prune.ts").then((m) => m.prune)),
    ],
  },
  {
    name: "volume",
    summary: "Manage volumes",
    children: [
      leaf("create", "Create a volume", () => import("./volume/create.ts").then((m) => m.create)),
      leaf("inspect", "Display detailed information on one or more volumes", () => import("./volume/inspect.ts").then((m) => m.inspect)),
      leaf("ls list", "List volumes", () => import("./volume/ls.ts").then((m) => m.ls)),
      leaf("prune", "Remove unused local volumes", () => import("./volume/prune.ts").then((m) => m.prune)),
      leaf("rm remove", "Remove one or more volumes. You cannot remove a volume that is in use by a container.", () =>
        import("./volume/rm.ts").then((m) => m.rm),
      ),
    ],
  },
];

export const commonCommands: readonly Leaf[] = [run, exec, as("ps", listContainers), pull, as("images", listImages), version, info];

export const otherCommands: readonly Leaf[] = [
  attach,
  {
    ...leaf("completion", "Generate the completion script of a shell", () => import("./completion.ts").then((m) => m.completion)),
    isLocal: true,
  },
  {
    ...leaf("__complete", "Print what may follow a command line", () => import("./completion.ts").then((m) => m.complete)),
    isHidden: true,
  },
  create,
  { ...leaf("doctor", "Tell what this host lacks, and how to get it", () => import("./system/doctor.ts").then((m) => m.doctor)), isLocal: true },
  events,
  history,
  inspect,
  kill,
  load,
  logs,
  port,
  rename,
  restart,
  as("rm", remove),
  as("rmi", removeImage),
  start,
  stop,
  tag,
  top,
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
