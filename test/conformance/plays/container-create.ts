import { play, type PlayBook } from "../play.ts";
import type { Stage } from "../stage.ts";

type Body = Readonly<Record<string, unknown>>;

const image = "busybox";

/** Creates with a name of the play's own and records the answer. */
async function create(t: Stage, body: Body, suffix = "c", version?: string): Promise<string | undefined> {
  const options = { body: { Image: image, Cmd: ["true"], ...body }, ...(version && { version }) };
  const { json } = await t.call("POST", `/containers/create?name=${t.name(suffix)}`, options);
  const id = (json as { Id?: string } | undefined)?.Id;
  if (id) t.know(id, `id of <u>-${suffix}`);
  return id;
}

/** Creates, then records the parts of inspect that the request has shaped. */
async function createAndShow(t: Stage, body: Body, values: readonly string[], version?: string): Promise<void> {
  const id = await create(t, body, "c", version);
  if (id) await t.call("GET", `/containers/${id}/json`, { only: values, ...(version && { version }) });
}

/** Requests that are refused, each with its name. */
const refused: readonly (readonly [what: string, body: Body])[] = [
  ["no image", { Image: "" }],
  ["a missing image with a tag (bug 13)", { Image: "gantry-missing:v1" }],
  ["a missing image without a tag", { Image: "gantry-missing" }],
  ["a missing image by digest", { Image: `gantry-missing@sha256:${"a".repeat(64)}` }],
  ["a missing image by id", { Image: "sha256:" + "b".repeat(64) }],
  ["a malformed image reference", { Image: `busybox:sha256:${"a".repeat(64)}` }],
  ["an upper-case image reference", { Image: "Busybox" }],
  ["an unknown IPC mode", { HostConfig: { IpcMode: "invalid" } }],
  ["an unknown PID mode", { HostConfig: { PidMode: "invalid" } }],
  ["a PID mode without a container", { HostConfig: { PidMode: "container:" } }],
  ["an unknown UTS mode", { HostConfig: { UTSMode: "invalid" } }],
  ["an unknown cgroup namespace mode", { HostConfig: { CgroupnsMode: "invalid" } }],
  ["a network that is missing", { HostConfig: { NetworkMode: "gantry-missing" } }],
  ["the network of a missing container", { HostConfig: { NetworkMode: "container:gantry-missing" } }],
  ["negative CPU shares", { HostConfig: { CpuShares: -1 } }],
  ["too little memory", { HostConfig: { Memory: 1024 } }],
  ["negative memory", { HostConfig: { Memory: -5 } }],
  ["a memory reservation above the limit", { HostConfig: { Memory: 33554432, MemoryReservation: 67108864 } }],
  ["swap below memory", { HostConfig: { Memory: 33554432, MemorySwap: 16777216 } }],
  ["swap without memory", { HostConfig: { MemorySwap: 33554432 } }],
  ["a swappiness out of range", { HostConfig: { MemorySwappiness: 101 } }],
  ["too many CPUs", { HostConfig: { NanoCpus: 9e12 } }],
  ["negative CPUs", { HostConfig: { NanoCpus: -1 } }],
  ["CPUs and a quota", { HostConfig: { NanoCpus: 5e8, CpuQuota: 50000 } }],
  ["a CPU period out of range", { HostConfig: { CpuPeriod: 10 } }],
  ["a CPU quota out of range", { HostConfig: { CpuQuota: 10 } }],
  ["a malformed cpuset", { HostConfig: { CpusetCpus: "a-b" } }],
  ["a cpuset of CPUs that are not there", { HostConfig: { CpusetCpus: "0-999" } }],
  ["a cpuset of memory nodes that are not there", { HostConfig: { CpusetMems: "0-999" } }],
  ["an OOM score out of range", { HostConfig: { OomScoreAdj: 1001 } }],
  ["a blkio weight out of range", { HostConfig: { BlkioWeight: 5 } }],
  ["negative shared memory", { HostConfig: { ShmSize: -1 } }],
  ["an empty annotation key", { HostConfig: { Annotations: { "": "x" } } }],
  ["an environment variable without a name", { Env: ["=foo"] }],
  ["an empty environment variable", { Env: [""] }],
  ["an unknown restart policy", { HostConfig: { RestartPolicy: { Name: "sometimes" } } }],
  ["a negative retry count", { HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: -1 } } }],
  ["retries with always", { HostConfig: { RestartPolicy: { Name: "always", MaximumRetryCount: 3 } } }],
  ["retries without a policy", { HostConfig: { RestartPolicy: { Name: "", MaximumRetryCount: 3 } } }],
  ["AutoRemove with a restart policy", { HostConfig: { AutoRemove: true, RestartPolicy: { Name: "always" } } }],
  ["a health check's interval below 1ms", { Healthcheck: { Test: ["CMD", "true"], Interval: 100 } }],
  ["a health check's timeout below 1ms", { Healthcheck: { Test: ["CMD", "true"], Timeout: 100 } }],
  ["a health check's start period below 1ms", { Healthcheck: { Test: ["CMD", "true"], StartPeriod: 100 } }],
  ["a health check's start interval below 1ms", { Healthcheck: { Test: ["CMD", "true"], StartInterval: 100 } }],
  ["negative retries of a health check", { Healthcheck: { Test: ["CMD", "true"], Retries: -1 } }],
  ["a relative mount target", { HostConfig: { Mounts: [{ Type: "volume", Target: "v" }] } }],
  ["a mount on the root", { HostConfig: { Mounts: [{ Type: "volume", Target: "/" }] } }],
  ["an unknown type of mount", { HostConfig: { Mounts: [{ Type: "nonsense", Target: "/v" }] } }],
  ["a mount without a target", { HostConfig: { Mounts: [{ Type: "volume", Source: "v" }] } }],
  ["a bind mount without a source", { HostConfig: { Mounts: [{ Type: "bind", Target: "/v" }] } }],
  ["a bind mount of a missing folder", { HostConfig: { Mounts: [{ Type: "bind", Source: "/no/such/folder", Target: "/v" }] } }],
  ["a bind mount with volume options", { HostConfig: { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/v", VolumeOptions: {} }] } }],
  ["a tmpfs with a source", { HostConfig: { Mounts: [{ Type: "tmpfs", Source: "/tmp", Target: "/v" }] } }],
  ["a volume with an invalid name", { HostConfig: { Mounts: [{ Type: "volume", Source: "a/b", Target: "/v" }] } }],
  ["two mounts on one target", { HostConfig: { Binds: ["/tmp:/v"], Mounts: [{ Type: "tmpfs", Target: "/v" }] } }],
  ["a bind to the root", { HostConfig: { Binds: ["/tmp:/"] } }],
  ["a bind to a relative path", { HostConfig: { Binds: ["/tmp:v"] } }],
  ["a bind with an unknown mode", { HostConfig: { Binds: ["/tmp:/v:nonsense"] } }],
  ["a bind with too many parts", { HostConfig: { Binds: ["/tmp:/v:ro:x"] } }],
  ["an empty bind", { HostConfig: { Binds: [""] } }],
  [
    "a volume subpath that is absolute",
    { HostConfig: { Mounts: [{ Type: "volume", Source: "v", Target: "/v", VolumeOptions: { Subpath: "/a" } }] } },
  ],
  [
    "a volume subpath that leaves the volume",
    { HostConfig: { Mounts: [{ Type: "volume", Source: "v", Target: "/v", VolumeOptions: { Subpath: "../a" } }] } },
  ],
  ["volumes from a missing container", { HostConfig: { VolumesFrom: ["gantry-missing"] } }],
  ["volumes from with an unknown mode", { HostConfig: { VolumesFrom: ["gantry-missing:nonsense"] } }],
  ["an unknown log driver", { HostConfig: { LogConfig: { Type: "nonsense" } } }],
  ["an unknown option of the log driver", { HostConfig: { LogConfig: { Type: "json-file", Config: { nonsense: "1" } } } }],
  ["a malformed log size", { HostConfig: { LogConfig: { Type: "json-file", Config: { "max-size": "x" } } } }],
  ["an unknown runtime", { HostConfig: { Runtime: "nonsense" } }],
  ["an unknown capability", { HostConfig: { CapAdd: ["NONSENSE"] } }],
  ["a malformed device", { HostConfig: { Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "q" }] } }],
  ["a malformed device rule", { HostConfig: { DeviceCgroupRules: ["nonsense"] } }],
  ["a malformed security option", { HostConfig: { SecurityOpt: ["nonsense"] } }],
  ["a malformed extra host", { HostConfig: { ExtraHosts: ["nonsense"] } }],
  ["a malformed DNS server", { HostConfig: { Dns: ["nonsense"] } }],
  ["a malformed sysctl", { HostConfig: { Sysctls: { "kernel.nonsense": "1" } } }],
  ["a malformed port", { ExposedPorts: { "nonsense/tcp": {} } }],
  ["a port out of range", { ExposedPorts: { "70000/tcp": {} } }],
  ["an unknown protocol", { ExposedPorts: { "80/nonsense": {} } }],
  ["a malformed host port", { HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "nonsense" }] } } }],
  ["a host port out of range", { HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "70000" }] } } }],
  ["a host address that is none", { HostConfig: { PortBindings: { "80/tcp": [{ HostIp: "nonsense", HostPort: "" }] } } }],
  ["a relative working directory", { WorkingDir: "a/b" }],
  ["a hostname with slashes", { Hostname: "a/b" }],
  ["a hostname that is too long", { Hostname: "a".repeat(64) }],
  ["host network with a hostname", { Hostname: "x", HostConfig: { NetworkMode: "host" } }],
  ["privileged with a user namespace", { HostConfig: { UsernsMode: "nonsense" } }],
  ["a malformed stop signal", { StopSignal: "SIGNONSENSE" }],
  ["a stop timeout below -1", { StopTimeout: -5 }],
  ["a malformed MAC address", { MacAddress: "nonsense" }],
  [
    "a static address on the default bridge",
    { NetworkingConfig: { EndpointsConfig: { bridge: { IPAMConfig: { IPv4Address: "203.0.113.77" } } } } },
  ],
  ["a static address that is none", { NetworkingConfig: { EndpointsConfig: { bridge: { IPAMConfig: { IPv4Address: "nonsense" } } } } }],
  ["a network container with exposed ports", { ExposedPorts: { "80/tcp": {} }, HostConfig: { NetworkMode: "container:gantry-missing" } }],
  ["no command", { Cmd: [], Entrypoint: [""] }],
  ["negative pids limit below -1", { HostConfig: { PidsLimit: -2 } }],
  ["a ulimit whose soft is above its hard limit", { HostConfig: { Ulimits: [{ Name: "nofile", Soft: 20, Hard: 10 }] } }],
  ["an unknown ulimit", { HostConfig: { Ulimits: [{ Name: "nonsense", Soft: 1, Hard: 1 }] } }],
  ["a negative console size", { HostConfig: { ConsoleSize: [-1, 10] } }],
  ["tmpfs with an unknown option", { HostConfig: { Tmpfs: { "/t": "nonsense" } } }],
  ["tmpfs on a relative path", { HostConfig: { Tmpfs: { t: "" } } }],
];

/** Requests that are accepted, and what inspect then says. */
const accepted: readonly (readonly [what: string, body: Body, values: readonly string[]])[] = [
  [
    "nothing but an image",
    {},
    ["Config", "HostConfig", "State", "Path", "Args", "RestartCount", "Platform", "AppArmorProfile", "ProcessLabel", "MountLabel"],
  ],
  ["a command as a text", { Cmd: "true" }, ["Config.Cmd", "Path", "Args"]],
  ["an entrypoint as a text", { Entrypoint: "echo", Cmd: ["a"] }, ["Config.Entrypoint", "Config.Cmd", "Path", "Args"]],
  ["an empty entrypoint (bug 29)", { Entrypoint: [], Cmd: ["a"] }, ["Config.Entrypoint", "Config.Cmd", "Path", "Args"]],
  ["no command of its own", { Cmd: null }, ["Config.Cmd", "Path", "Args"]],
  [
    "environment, labels, user, folder",
    { Env: ["A=1", "PATH=/bin", "B"], Labels: { a: "b", "": "" }, User: "nobody:extra", WorkingDir: "/w/../x" },
    ["Config"],
  ],
  [
    "keys in other case and unknown ones",
    { hostname: "h", NONSENSE: 1, hostConfig: { memory: 16777216 } },
    ["Config.Hostname", "HostConfig.Memory"],
  ],
  ["a hostname with a domain", { Hostname: "h.example.org" }, ["Config.Hostname", "Config.Domainname"]],
  [
    "ports exposed and published",
    { ExposedPorts: { "80/tcp": {}, "53": {} }, HostConfig: { PortBindings: { "90/udp": [{ HostIp: "127.0.0.1", HostPort: "0" }] } } },
    ["Config.ExposedPorts", "HostConfig.PortBindings", "NetworkSettings.Ports"],
  ],
  [
    "limits (bug 31)",
    {
      HostConfig: {
        Memory: 67108864,
        NanoCpus: 500000000,
        PidsLimit: 50,
        Ulimits: [{ Name: "nofile", Soft: 10, Hard: 20 }],
        OomScoreAdj: 100,
        CpuShares: 512,
        CpusetCpus: "0",
        ShmSize: 1048576,
      },
    },
    ["HostConfig"],
  ],
  ["pids limits of 0 and -1", { HostConfig: { PidsLimit: 0 } }, ["HostConfig.PidsLimit"]],
  [
    "privileged",
    { HostConfig: { Privileged: true } },
    [
      "HostConfig.Privileged",
      "HostConfig.SecurityOpt",
      "HostConfig.MaskedPaths",
      "HostConfig.ReadonlyPaths",
      "HostConfig.CgroupnsMode",
      "AppArmorProfile",
    ],
  ],
  ["empty masked paths", { HostConfig: { MaskedPaths: [], ReadonlyPaths: [] } }, ["HostConfig.MaskedPaths", "HostConfig.ReadonlyPaths"]],
  [
    "capabilities in every spelling (bug 10)",
    { HostConfig: { CapAdd: ["net_admin", "CAP_SYS_TIME"], CapDrop: ["ALL"] } },
    ["HostConfig.CapAdd", "HostConfig.CapDrop"],
  ],
  ["binds (bug 28)", { HostConfig: { Binds: ["/tmp:/a:ro", "/tmp/:/b/:rw,rshared"] } }, ["HostConfig.Binds", "Mounts"]],
  [
    "tmpfs, old and new (bug 28)",
    {
      HostConfig: {
        Tmpfs: { "/t": "size=1m" },
        Mounts: [{ Type: "tmpfs", Target: "/u", TmpfsOptions: { SizeBytes: 1048576, Mode: 448 } }],
      },
    },
    ["HostConfig.Tmpfs", "HostConfig.Mounts", "Mounts"],
  ],
  ["an anonymous volume", { Volumes: { "/v": {} } }, ["Config.Volumes"]],
  [
    "a health check",
    { Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 1e9, Timeout: 1e9, Retries: 2, StartPeriod: 1e9 } },
    ["Config.Healthcheck", "State"],
  ],
  ["no health check", { Healthcheck: { Test: ["NONE"] } }, ["Config.Healthcheck", "State"]],
  ["a restart policy", { HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } } }, ["HostConfig.RestartPolicy"]],
  ["AutoRemove", { HostConfig: { AutoRemove: true } }, ["HostConfig.AutoRemove", "HostConfig.RestartPolicy"]],
  ["the host's network", { HostConfig: { NetworkMode: "host" } }, ["HostConfig.NetworkMode", "NetworkSettings.Networks"]],
  ["no network", { HostConfig: { NetworkMode: "none" } }, ["HostConfig.NetworkMode"]],
  ["the bridge by name (bug 27)", { HostConfig: { NetworkMode: "bridge" } }, ["HostConfig.NetworkMode"]],
  ["the default network (bug 27)", { HostConfig: { NetworkMode: "default" } }, ["HostConfig.NetworkMode"]],
  [
    "a static MAC address (bug 30)",
    { MacAddress: "02:42:ac:11:00:99" },
    ["Config.MacAddress", "NetworkSettings.Networks.bridge.MacAddress"],
  ],
  ["security options", { HostConfig: { SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] } }, ["HostConfig.SecurityOpt"]],
  [
    "hosts, names of servers, options",
    { HostConfig: { ExtraHosts: ["a:1.2.3.4", "b:host-gateway"], Dns: ["1.1.1.1"], DnsSearch: ["x"], DnsOptions: ["ndots:1"] } },
    ["HostConfig.ExtraHosts", "HostConfig.Dns", "HostConfig.DnsSearch", "HostConfig.DnsOptions"],
  ],
  [
    "a log driver's options",
    { HostConfig: { LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } } } },
    ["HostConfig.LogConfig"],
  ],
  ["no log", { HostConfig: { LogConfig: { Type: "none" } } }, ["HostConfig.LogConfig"]],
  [
    "streams and a terminal",
    {
      OpenStdin: true,
      StdinOnce: true,
      Tty: true,
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      HostConfig: { ConsoleSize: [24, 80] },
    },
    ["Config", "HostConfig.ConsoleSize"],
  ],
  ["a stop signal and timeout", { StopSignal: "SIGINT", StopTimeout: 3 }, ["Config.StopSignal", "Config.StopTimeout"]],
  [
    "a read-only root, init, sysctls",
    { HostConfig: { ReadonlyRootfs: true, Init: true, Sysctls: { "net.ipv4.ip_forward": "1" } } },
    ["HostConfig.ReadonlyRootfs", "HostConfig.Init", "HostConfig.Sysctls"],
  ],
  ["annotations", { HostConfig: { Annotations: { "org.example": "x" } } }, ["HostConfig.Annotations"]],
  [
    "devices and rules",
    {
      HostConfig: {
        Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/x", CgroupPermissions: "rwm" }],
        DeviceCgroupRules: ["c 1:3 rwm"],
      },
    },
    ["HostConfig.Devices", "HostConfig.DeviceCgroupRules"],
  ],
  [
    "names that are special elsewhere",
    { Labels: { __proto__x: "a", constructor: "b", toString: "c" }, Env: ["constructor=1"] },
    ["Config.Labels", "Config.Env"],
  ],
];

/** POST /containers/create: what is refused, with its text, and what inspect says of what is not. */
export const containerCreate: PlayBook = {
  noun: "container-create",
  plays: [
    ...refused.map(([what, body]) =>
      play(`create refused, or not: ${what}`, async (t) => {
        await create(t, body);
      }),
    ),
    ...accepted.map(([what, body, values]) => play(`create and inspect: ${what}`, (t) => createAndShow(t, body, values))),
    play("the form of inspect before the first start", async (t) => {
      const id = await create(t, {});
      await t.call("GET", `/containers/${id}/json`);
    }),
    play("an image by id, bare id and short id", async (t) => {
      const { Id } = (await t.quiet("GET", "/images/busybox/json")) as { Id: string };
      for (const [suffix, image] of [
        ["full", Id],
        ["bare", Id.slice(7)],
        ["short", Id.slice(7, 19)],
      ] as const) {
        const id = await create(t, { Image: image }, suffix);
        await t.call("GET", `/containers/${id}/json`, { only: ["Image"] });
      }
    }),
    play("names that are taken or malformed", async (t) => {
      await create(t, {});
      await create(t, {});
      for (const name of ["a", "-a", "a b", "a%2Fb", "..", "%00", `${t.unique}${"a".repeat(300)}`, `/${t.name("slash")}`])
        await t.call("POST", `/containers/create?name=${encodeURI(name)}`, { body: { Image: image, Cmd: ["true"] } });
    }),
    play("a platform that the image does not have", async (t) => {
      for (const platform of ["linux/arm64", "windows/amd64", "nonsense", "linux/nonsense", "linux/amd64"])
        await t.call("POST", `/containers/create?name=${t.name("p")}&platform=${encodeURIComponent(platform)}`, {
          body: { Image: image, Cmd: ["true"] },
        });
    }),
    play("a network of the user with aliases and an address (bug 30)", async (t) => {
      await t.network(t.name("net"), { IPAM: { Config: [{ Subnet: "10.231.7.0/24", Gateway: "10.231.7.1" }] } });
      const endpoint = {
        IPAMConfig: { IPv4Address: "10.231.7.77" },
        Aliases: ["alias1"],
        DriverOpts: { "com.docker.network.endpoint.ifname": "eth0" },
      };
      const id = await create(t, {
        Cmd: ["sleep", "1000"],
        HostConfig: { NetworkMode: t.name("net") },
        NetworkingConfig: { EndpointsConfig: { [t.name("net")]: endpoint } },
      });
      await t.call("GET", `/containers/${id}/json`, { values: [`NetworkSettings.Networks.${t.name("net")}`] });
      await t.call("POST", `/containers/${id}/start`);
      await t.call("GET", `/containers/${id}/json`, {
        values: [`NetworkSettings.Networks.${t.name("net")}.Aliases`, `NetworkSettings.Networks.${t.name("net")}.DNSNames`],
      });
    }),
    play("several networks at create, by version", async (t) => {
      await t.network(t.name("n1"));
      await t.network(t.name("n2"));
      // Docker names them in any order.
      for (const name of ["n1", "n2"]) t.know(t.name(name), "a network");
      const body = {
        HostConfig: { NetworkMode: t.name("n1") },
        NetworkingConfig: { EndpointsConfig: { [t.name("n1")]: {}, [t.name("n2")]: {} } },
      };
      await create(t, body, "old", "v1.43");
      await create(t, body, "new");
    }),
    play("defaults that depend on the API version", async (t) => {
      for (const version of ["v1.24", "v1.39", "v1.40", "v1.43", "v1.44"]) {
        const id = await create(t, {}, version.replace(".", "-"), version);
        if (id) await t.call("GET", `/containers/${id}/json`, { only: ["HostConfig.IpcMode", "HostConfig.CgroupnsMode"] });
      }
    }),
    play("what create warns about", async (t) => {
      await t.call("POST", `/containers/create?name=${t.name("w")}`, {
        body: {
          Image: image,
          Cmd: ["true"],
          ExposedPorts: {},
          HostConfig: { NetworkMode: "host", PortBindings: { "80/tcp": [{ HostPort: "8080" }] }, KernelMemory: 67108864 },
        },
        values: ["Warnings"],
      });
    }),
  ],
};
