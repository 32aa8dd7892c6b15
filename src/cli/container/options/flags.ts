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
  annotation: map(noShort, "Annotation for the OCI runtime, KEY=VALUE"),
  attach: list("a", "Stream to connect: stdin, stdout or stderr", attachStream),
  cidfile: text(noShort, "File to write the container's ID to"),
  device: list(noShort, "Device of the host: HOST[:CONTAINER[:rwm]]"),
  deviceCgroupRule: list(noShort, 'Allow devices by number, such as "c 13:* rwm"', deviceRule),
  disableContentTrust: bool(noShort, "Accepted, without effect: signatures are not checked", { initially: true }),
  entrypoint: text(noShort, "Program to run in place of the image's ENTRYPOINT"),
  env: list("e", "Environment variable, NAME=VALUE; NAME alone passes on the value it has here", (value) =>
    environmentEntry(value, process.env),
  ),
  envFile: list(noShort, "File of environment variables, one a line"),
  gpus: gpusFlag("GPUs for the container: a number, 'all', or device=ID"),
  groupAdd: list(noShort, "Further group of the program, by name or number"),
  help: bool(noShort, "Show this help"),
  hostname: text("h", "Host name inside the container"),
  domainname: text(noShort, "NIS domain name inside the container"),
  init: bool(noShort, "Put a small init before the program: it passes signals on and collects ended processes"),
  interactive: bool("i", "Keep stdin open"),
  label: list("l", "Label, KEY=VALUE", labelEntry),
  labelFile: list(noShort, "File of labels, one a line"),
  name: text(noShort, "Name of the container (default: a made-up one)"),
  platform: text(noShort, "Platform of the image: OS[/ARCH[/VARIANT]]"),
  quiet: bool("q", "Do not show the progress of a pull"),
  readOnly: bool(noShort, "Make the root file system read-only"),
  restart: text(noShort, "When to start it again: no, always, unless-stopped, on-failure[:TIMES], on-unhealthy[:TIMES]", {
    initially: "no",
  }),
  rm: bool(noShort, "Remove the container and its unnamed volumes when it has ended"),
  stopSignal: text(noShort, "Signal that asks the program to end (default: the image's, else SIGTERM)"),
  stopTimeout: int(noShort, "Seconds from that signal to SIGKILL (default: the daemon's, 10)"),
  sysctl: map(noShort, "Kernel parameter of the container's namespaces, NAME=VALUE", sysctl),
  tty: bool("t", "Give the program a terminal"),
  user: text("u", "User to run as, by name or number: USER[:GROUP]"),
  workdir: text("w", "Folder inside the container to start in"),

  // Security
  capAdd: list(noShort, "Capability to add, such as NET_ADMIN; ALL for all"),
  capDrop: list(noShort, "Capability to take away; ALL for all"),
  privileged: bool(noShort, "Give all capabilities and devices, without confinement: root inside is root on the host"),
  securityOpt: list(noShort, "Security option, such as no-new-privileges or seccomp=FILE"),
  userns: text(noShort, "User namespace: 'host' for the daemon's"),
  cgroupns: text(noShort, "Cgroup namespace: host or private (default: the daemon's choice)"),

  // Network
  addHost: list(noShort, "Line for /etc/hosts, NAME:ADDRESS; host-gateway stands for the host", extraHost),
  dns: list(noShort, "Address of a DNS server", ipAddress),
  dnsOption: list(noShort, "Option for resolv.conf, such as ndots:2", (value) => value, { otherNames: ["dns-opt"] }),
  dnsSearch: list(noShort, "DNS search domain; '.' for none", dnsSearch),
  expose: list(noShort, "Port or range that the program listens on: PORT[-PORT][/PROTOCOL]"),
  ip: text(noShort, "IPv4 address in the network (default: a free one)"),
  ip6: text(noShort, "IPv6 address in the network (default: a free one)"),
  link: list(noShort, "Reach another container by a name: CONTAINER[:NAME]", link),
  linkLocalIp: list(noShort, "Further link-local address", ipAddress),
  macAddress: text(noShort, "MAC address (default: a made-up one)"),
  network: networkFlag("Join a container to a network"),
  networkAlias: list(noShort, "Further name of the container inside the network", (value) => value, { otherNames: ["net-alias"] }),
  publish: list("p", "Make a port reachable from outside: [[ADDRESS:]HOST_PORT:]PORT[/PROTOCOL]"),
  publishAll: bool("P", "Make every exposed port reachable by a free port of the host"),

  // Logs and storage
  logDriver: text(noShort, "Log driver (default: the daemon's)"),
  logOpt: list(noShort, "Option of the log driver, KEY=VALUE"),
  mount: mountFlag("Mount, as type=bind|volume|tmpfs,source=…,target=…"),
  storageOpt: list(noShort, "Option of the storage driver, KEY=VALUE"),
  tmpfs: list(noShort, "Folder held in memory: PATH[:OPTIONS]"),
  volume: list("v", "Volume or folder of the host: SOURCE:PATH[:ro]"),
  volumeDriver: text(noShort, "Driver of the volumes that are made for this container"),
  volumesFrom: list(noShort, "Mount the volumes of another container: CONTAINER[:ro]"),

  // Health
  healthCmd: text(noShort, "Command that succeeds while the program is healthy"),
  healthInterval: duration(noShort, "Time between two checks, such as 30s (default: the image's, else 30s)"),
  healthRetries: int(noShort, "Failed checks in a row that make it unhealthy (default: the image's, else 3)"),
  healthStartInterval: duration(noShort, "Time between two checks in the start period (default: the image's, else 5s)"),
  healthStartPeriod: duration(noShort, "Time after the start in which failed checks do not count (default: the image's, else 0s)"),
  healthTimeout: duration(noShort, "Time a check may take (default: the image's, else 30s)"),
  noHealthcheck: bool(noShort, "Ignore the image's HEALTHCHECK"),

  // Resources
  blkioWeight: uint16(noShort, "Share of disk time, 10 to 1000; 0 leaves it to the kernel"),
  blkioWeightDevice: weightDevice("Share of one disk's time: DEVICE:WEIGHT"),
  cgroupParent: text(noShort, "Cgroup to make the container's cgroup in"),
  cpuCount: int(noShort, "Accepted for Windows daemons", { hidden: true }),
  cpuPercent: int(noShort, "Accepted for Windows daemons", { hidden: true }),
  cpuPeriod: int(noShort, "Length of a scheduling period in microseconds, for --cpu-quota"),
  cpuQuota: int(noShort, "CPU time in each period, in microseconds"),
  cpuRtPeriod: int(noShort, "Length of a real-time period in microseconds"),
  cpuRtRuntime: int(noShort, "Real-time CPU time in each period, in microseconds"),
  cpuShares: int("c", "Weight when CPUs are scarce, 2 to 262144 (default: 1024)"),
  cpus: cpusFlag("CPUs it may use, such as 1.5"),
  cpusetCpus: text(noShort, "CPUs to run on, such as 0-3 or 0,2"),
  cpusetMems: text(noShort, "Memory nodes to use, such as 0-1"),
  deviceReadBps: throttleDevice("Bytes it may read from a disk each second: DEVICE:SIZE", "bytes"),
  deviceReadIops: throttleDevice("Reads of a disk each second: DEVICE:COUNT", "operations"),
  deviceWriteBps: throttleDevice("Bytes it may write to a disk each second: DEVICE:SIZE", "bytes"),
  deviceWriteIops: throttleDevice("Writes to a disk each second: DEVICE:COUNT", "operations"),
  ioMaxbandwidth: bytes(noShort, "Accepted for Windows daemons", { hidden: true }),
  ioMaxiops: int(noShort, "Accepted for Windows daemons", { hidden: true }),
  kernelMemory: bytes(noShort, "Accepted, without effect: the kernel has no such limit any more"), // accepted, and without effect: the kernel has given it up
  memory: bytes("m", "Memory it may use, such as 512m"),
  memoryReservation: bytes(noShort, "Memory it keeps when the host runs short, such as 256m"),
  memorySwap: bytes(noShort, "Memory and swap together; -1: swap without limit", { allowMinusOne: true }),
  memorySwappiness: int(noShort, "Readiness to swap, 0 to 100; -1 leaves it to the kernel", { initially: -1 }),
  oomKillDisable: bool(noShort, "Stall the program, do not kill it, when its memory is used up"),
  oomScoreAdj: int(noShort, "How readily the kernel kills it when the host's memory is used up, -1000 to 1000"),
  pidsLimit: int(noShort, "Processes it may have; -1: no limit"),
  shmSize: bytes(noShort, "Size of /dev/shm (default: 64m)"),
  ulimit: ulimitFlag("Resource limit, NAME=SOFT[:HARD]"),

  // Namespaces and runtime
  ipc: text(noShort, "IPC namespace: private, shareable, host, none or container:NAME"),
  isolation: text(noShort, "Accepted for Windows daemons; 'default' elsewhere"),
  pid: text(noShort, "PID namespace: host or container:NAME (default: its own)"),
  runtime: text(noShort, "OCI runtime (default: the daemon's)"),
  uts: text(noShort, "UTS namespace: 'host' for the host's (default: its own)"),
} as const;
