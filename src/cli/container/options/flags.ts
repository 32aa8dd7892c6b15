import { bool, bytes, duration, int, list, map, text, uint16 } from "../../flag-kinds.ts";
import { deviceRule, gpusFlag, throttleDevice, weightDevice } from "./devices.ts";
import { environmentEntry, labelEntry } from "./environment.ts";
import { attachStream, dnsSearch, extraHost, ipAddress, link } from "./hosts.ts";
import { cpusFlag, sysctl, ulimitFlag } from "./limits.ts";
import { mountFlag } from "./mount.ts";
import { networkFlag } from "./network.ts";

const noShort = undefined;

/** The flags that `create` and `run` share. What they become: request.ts. */
export const createFlags = {
  // General
  annotation: map(noShort, "Add an annotation to the container (passed through to the OCI runtime)"),
  attach: list("a", "Attach to STDIN, STDOUT or STDERR", attachStream),
  cidfile: text(noShort, "Write the container ID to the file"),
  device: list(noShort, "Add a host device to the container"),
  deviceCgroupRule: list(noShort, "Add a rule to the cgroup allowed devices list", deviceRule),
  disableContentTrust: bool(noShort, "Skip image verification", { initially: true }),
  entrypoint: text(noShort, "Overwrite the default ENTRYPOINT of the image"),
  env: list("e", "Set environment variables", (value) => environmentEntry(value, process.env)),
  envFile: list(noShort, "Read in a file of environment variables"),
  gpus: gpusFlag("GPU devices to add to the container ('all' to pass all GPUs)"),
  groupAdd: list(noShort, "Add additional groups to join"),
  help: bool(noShort, "Print usage"),
  hostname: text("h", "Container host name"),
  domainname: text(noShort, "Container NIS domain name"),
  init: bool(noShort, "Run an init inside the container that forwards signals and reaps processes"),
  interactive: bool("i", "Keep STDIN open even if not attached"),
  label: list("l", "Set meta data on a container", labelEntry),
  labelFile: list(noShort, "Read in a line delimited file of labels"),
  name: text(noShort, "Assign a name to the container"),
  platform: text(noShort, "Set platform if server is multi-platform capable"),
  quiet: bool("q", "Suppress the pull output"),
  readOnly: bool(noShort, "Mount the container's root filesystem as read only"),
  restart: text(noShort, "Restart policy to apply when a container exits", { initially: "no" }),
  rm: bool(noShort, "Automatically remove the container and its associated anonymous volumes when it exits"),
  stopSignal: text(noShort, "Signal to stop the container"),
  stopTimeout: int(noShort, "Timeout (in seconds) to stop a container"),
  sysctl: map(noShort, "Sysctl options", sysctl),
  tty: bool("t", "Allocate a pseudo-TTY"),
  user: text("u", "Username or UID (format: <name|uid>[:<group|gid>])"),
  workdir: text("w", "Working directory inside the container"),

  // Security
  capAdd: list(noShort, "Add Linux capabilities"),
  capDrop: list(noShort, "Drop Linux capabilities"),
  privileged: bool(noShort, "Give extended privileges to this container"),
  securityOpt: list(noShort, "Security Options"),
  userns: text(noShort, "User namespace to use"),
  cgroupns: text(
    noShort,
    "Cgroup namespace to use (host|private)\n'host':    Run the container in the Docker host's cgroup namespace\n'private': Run the container in its own private cgroup namespace\n'':        Use the cgroup namespace as configured by the\n           default-cgroupns-mode option on the daemon (default)",
  ),

  // Network
  addHost: list(noShort, "Add a custom host-to-IP mapping (host:ip)", extraHost),
  dns: list(noShort, "Set custom DNS servers", ipAddress),
  dnsOption: list(noShort, "Set DNS options", (value) => value, { otherNames: ["dns-opt"] }),
  dnsSearch: list(noShort, "Set custom DNS search domains", dnsSearch),
  expose: list(noShort, "Expose a port or a range of ports"),
  ip: text(noShort, "IPv4 address (e.g., 172.30.100.104)"),
  ip6: text(noShort, "IPv6 address (e.g., 2001:db8::33)"),
  link: list(noShort, "Add link to another container", link),
  linkLocalIp: list(noShort, "Container IPv4/IPv6 link-local addresses", ipAddress),
  macAddress: text(noShort, "Container MAC address (e.g., 92:d0:c6:0a:29:33)"),
  network: networkFlag("Connect a container to a network"),
  networkAlias: list(noShort, "Add network-scoped alias for the container", (value) => value, { otherNames: ["net-alias"] }),
  publish: list("p", "Publish a container's port(s) to the host"),
  publishAll: bool("P", "Publish all exposed ports to random ports"),

  // Logs and storage
  logDriver: text(noShort, "Logging driver for the container"),
  logOpt: list(noShort, "Log driver options"),
  mount: mountFlag("Attach a filesystem mount to the container"),
  storageOpt: list(noShort, "Storage driver options for the container"),
  tmpfs: list(noShort, "Mount a tmpfs directory"),
  volume: list("v", "Bind mount a volume"),
  volumeDriver: text(noShort, "Optional volume driver for the container"),
  volumesFrom: list(noShort, "Mount volumes from the specified container(s)"),

  // Health
  healthCmd: text(noShort, "Command to run to check health"),
  healthInterval: duration(noShort, "Time between running the check (ms|s|m|h) (default 0s)"),
  healthRetries: int(noShort, "Consecutive failures needed to report unhealthy"),
  healthStartInterval: duration(noShort, "Time between running the check during the start period (ms|s|m|h) (default 0s)"),
  healthStartPeriod: duration(
    noShort,
    "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h) (default 0s)",
  ),
  healthTimeout: duration(noShort, "Maximum time to allow one check to run (ms|s|m|h) (default 0s)"),
  noHealthcheck: bool(noShort, "Disable any container-specified HEALTHCHECK"),

  // Resources
  blkioWeight: uint16(noShort, "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)"),
  blkioWeightDevice: weightDevice("Block IO weight (relative device weight)"),
  cgroupParent: text(noShort, "Optional parent cgroup for the container"),
  cpuCount: int(noShort, "CPU count (Windows only)", { hidden: true }),
  cpuPercent: int(noShort, "CPU percent (Windows only)", { hidden: true }),
  cpuPeriod: int(noShort, "Limit CPU CFS (Completely Fair Scheduler) period"),
  cpuQuota: int(noShort, "Limit CPU CFS (Completely Fair Scheduler) quota"),
  cpuRtPeriod: int(noShort, "Limit CPU real-time period in microseconds"),
  cpuRtRuntime: int(noShort, "Limit CPU real-time runtime in microseconds"),
  cpuShares: int("c", "CPU shares (relative weight)"),
  cpus: cpusFlag("Number of CPUs"),
  cpusetCpus: text(noShort, "CPUs in which to allow execution (0-3, 0,1)"),
  cpusetMems: text(noShort, "MEMs in which to allow execution (0-3, 0,1)"),
  deviceReadBps: throttleDevice("Limit read rate (bytes per second) from a device", "bytes"),
  deviceReadIops: throttleDevice("Limit read rate (IO per second) from a device", "operations"),
  deviceWriteBps: throttleDevice("Limit write rate (bytes per second) to a device", "bytes"),
  deviceWriteIops: throttleDevice("Limit write rate (IO per second) to a device", "operations"),
  ioMaxbandwidth: bytes(noShort, "Maximum IO bandwidth limit for the system drive (Windows only)", { hidden: true }),
  ioMaxiops: int(noShort, "Maximum IOps limit for the system drive (Windows only)", { hidden: true }),
  kernelMemory: bytes(noShort, "Kernel memory limit"), // accepted, and without effect: the kernel has given it up
  memory: bytes("m", "Memory limit"),
  memoryReservation: bytes(noShort, "Memory soft limit"),
  memorySwap: bytes(noShort, "Swap limit equal to memory plus swap: '-1' to enable unlimited swap", { allowMinusOne: true }),
  memorySwappiness: int(noShort, "Tune container memory swappiness (0 to 100)", { initially: -1 }),
  oomKillDisable: bool(noShort, "Disable OOM Killer"),
  oomScoreAdj: int(noShort, "Tune host's OOM preferences (-1000 to 1000)"),
  pidsLimit: int(noShort, "Tune container pids limit (set -1 for unlimited)"),
  shmSize: bytes(noShort, "Size of /dev/shm"),
  ulimit: ulimitFlag("Ulimit options"),

  // Namespaces and runtime
  ipc: text(noShort, "IPC mode to use"),
  isolation: text(noShort, "Container isolation technology"),
  pid: text(noShort, "PID namespace to use"),
  runtime: text(noShort, "Runtime to use for this container"),
  uts: text(noShort, "UTS namespace to use"),
} as const;
