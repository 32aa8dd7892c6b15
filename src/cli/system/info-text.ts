import { display } from "../format/values.ts";
import { binarySize } from "../units.ts";

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** The daemon's part of `info`, as lines. Fields that the daemon does not tell are left out where Docker leaves them out. */
export function infoText(server: Fields, options: { readonly program: "gantry" | "docker" }): string {
  const lines: string[] = [];
  const add = (indent: number, label: string, value: unknown): void => void lines.push(`${" ".repeat(indent)}${label}: ${display(value)}`);
  const always = (indent: number, label: string, key: string): void => add(indent, label, server[key] ?? "");
  const present = (indent: number, label: string, key: string): void => {
    if (server[key]) add(indent, label, server[key]);
  };
  add(1, "Containers", server["Containers"] ?? 0);
  for (const state of ["Running", "Paused", "Stopped"]) add(2, state, server[`Containers${state}`] ?? 0);
  add(1, "Images", server["Images"] ?? 0);
  present(1, "Server Version", "ServerVersion");
  always(1, "Storage Driver", "Driver");
  for (const pair of listOf(server["DriverStatus"])) add(2, display(listOf(pair)[0]), listOf(pair)[1]);
  // Where Docker once named its execution driver, stands the OCI runtime that does its work today.
  if (options.program === "gantry") present(1, "Execution Driver", "DefaultRuntime");
  present(1, "Logging Driver", "LoggingDriver");
  present(1, "Cgroup Driver", "CgroupDriver");
  present(1, "Cgroup Version", "CgroupVersion");
  addPlugins(server, lines);
  addLists(server, lines);
  addSwarm(server, lines);
  addRuntimes(server, lines);
  addSecurity(server, lines);
  present(1, "Kernel Version", "KernelVersion");
  present(1, "Operating System", "OperatingSystem");
  present(1, "OSType", "OSType");
  present(1, "Architecture", "Architecture");
  add(1, "CPUs", server["NCPU"] ?? 0);
  add(1, "Total Memory", binarySize(Number(server["MemTotal"] ?? 0)));
  present(1, "Name", "Name");
  present(1, "ID", "ID");
  always(1, options.program === "docker" ? "Docker Root Dir" : "Root Dir", "DockerRootDir");
  add(1, "Debug Mode", server["Debug"] ?? false);
  if (server["Debug"]) {
    for (const [label, key] of [
      ["File Descriptors", "NFd"],
      ["Goroutines", "NGoroutines"],
      ["System Time", "SystemTime"],
      ["EventsListeners", "NEventsListener"],
    ] as const)
      add(2, label, server[key] ?? 0);
  }
  present(1, "HTTP Proxy", "HttpProxy");
  present(1, "HTTPS Proxy", "HttpsProxy");
  present(1, "No Proxy", "NoProxy");
  if (listOf(server["Labels"]).length > 0) lines.push(" Labels:", ...listOf(server["Labels"]).map((label) => `  ${display(label)}`));
  add(1, "Experimental", server["ExperimentalBuild"] ?? false);
  addRegistries(server, lines);
  add(1, "Live Restore Enabled", server["LiveRestoreEnabled"] ?? false);
  present(1, "Product License", "ProductLicense");
  return `${lines.join("\n")}\n`;
}

function addPlugins(server: Fields, lines: string[]): void {
  const plugins = fieldsOf(server["Plugins"]);
  lines.push(" Plugins:");
  for (const kind of ["Volume", "Network", "Authorization", "Log"]) {
    const names = listOf(plugins[kind]);
    if (names.length > 0 || kind === "Volume" || kind === "Network") lines.push(`  ${kind}: ${names.map(display).join(" ")}`);
  }
}

function addLists(server: Fields, lines: string[]): void {
  const folders = listOf(server["CDISpecDirs"]);
  if (folders.length > 0) lines.push(" CDI spec directories:", ...folders.map((folder) => `  ${display(folder)}`));
  const devices = listOf(server["DiscoveredDevices"]).map(fieldsOf);
  if (devices.length > 0) lines.push(" Discovered Devices:", ...devices.map(({ Source, ID }) => `  ${display(Source)}: ${display(ID)}`));
}

function addSwarm(server: Fields, lines: string[]): void {
  const swarm = fieldsOf(server["Swarm"]);
  const state = swarm["LocalNodeState"];
  lines.push(` Swarm: ${display(state ?? "inactive")}`);
  if (state !== "active") return;
  lines.push(`  NodeID: ${display(swarm["NodeID"] ?? "")}`, `  Is Manager: ${display(swarm["ControlAvailable"] ?? false)}`);
  if (swarm["ControlAvailable"]) {
    const cluster = fieldsOf(swarm["Cluster"]);
    lines.push(
      `  ClusterID: ${display(cluster["ID"] ?? "")}`,
      `  Managers: ${display(swarm["Managers"] ?? 0)}`,
      `  Nodes: ${display(swarm["Nodes"] ?? 0)}`,
    );
  }
  lines.push(`  Node Address: ${display(swarm["NodeAddr"] ?? "")}`);
}

function addRuntimes(server: Fields, lines: string[]): void {
  const runtimes = Object.keys(fieldsOf(server["Runtimes"])).toSorted();
  if (runtimes.length > 0) lines.push(` Runtimes: ${runtimes.join(" ")}`, ` Default Runtime: ${display(server["DefaultRuntime"] ?? "")}`);
  if (server["OSType"] !== "linux") return;
  lines.push(` Init Binary: ${display(server["InitBinary"] ?? "")}`);
  for (const [label, key] of [
    ["containerd", "ContainerdCommit"],
    ["runc", "RuncCommit"],
    ["init", "InitCommit"],
  ] as const)
    if (fieldsOf(server[key])["ID"] !== undefined) lines.push(` ${label} version: ${display(fieldsOf(server[key])["ID"])}`);
}

/** `name=seccomp,profile=builtin` → the name, below it the rest. */
function addSecurity(server: Fields, lines: string[]): void {
  const options = listOf(server["SecurityOptions"]);
  if (options.length > 0) lines.push(" Security Options:");
  for (const option of options) {
    const pairs = display(option)
      .split(",")
      .map((pair) => pair.split("="));
    lines.push(`  ${pairs.find(([key]) => key === "name")?.[1] ?? display(option)}`);
    for (const [key = "", value = ""] of pairs)
      if (key !== "name") lines.push(`   ${key.slice(0, 1).toUpperCase()}${key.slice(1)}: ${value}`);
  }
}

function addRegistries(server: Fields, lines: string[]): void {
  const registry = fieldsOf(server["RegistryConfig"]);
  const insecure = Object.entries(fieldsOf(registry["IndexConfigs"])).filter(([, index]) => fieldsOf(index)["Secure"] === false);
  const networks = listOf(registry["InsecureRegistryCIDRs"]);
  if (insecure.length + networks.length > 0)
    lines.push(" Insecure Registries:", ...insecure.map(([name]) => `  ${name}`), ...networks.map((one) => `  ${display(one)}`));
  const mirrors = listOf(registry["Mirrors"]);
  if (mirrors.length > 0) lines.push(" Registry Mirrors:", ...mirrors.map((one) => `  ${display(one)}`));
}
