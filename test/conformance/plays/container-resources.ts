import { play, type PlayBook } from "../play.ts";
import type { Stage } from "../stage.ts";

type HostConfig = Readonly<Record<string, unknown>>;

/** Creates with a name of the play's own, shows what became of the fields, and starts. */
async function tryOut(t: Stage, host: HostConfig, command: readonly string[] = ["true"]): Promise<void> {
  const number = t.facts.length;
  const name = t.name(`n${number}`);
  const body = { Image: "busybox", Cmd: command, HostConfig: { NetworkMode: "none", ...host } };
  const { json } = await t.call("POST", `/containers/create?name=${name}`, { body, values: ["Warnings"] });
  const id = (json as { Id?: string } | undefined)?.Id;
  if (!id) return;
  t.know(id, `id of ${number}`);
  await t.call("GET", `/containers/${id}/json`, { only: Object.keys(host).map((field) => `HostConfig.${field}`) });
  await t.call("POST", `/containers/${id}/start`);
  await t.call("POST", `/containers/${id}/wait`, { values: ["StatusCode"] });
  await t.call("GET", `/containers/${id}/logs?stdout=1&stderr=1`);
}

const each = (name: string, hosts: readonly HostConfig[], command?: readonly string[]) =>
  play(name, async (t) => {
    for (const host of hosts) await tryOut(t, host, command);
  });

const shell = (script: string): readonly string[] => ["sh", "-c", script];
const cdi = { Driver: "cdi", DeviceIDs: ["gantry.test/none=one"] };

/** Fields of HostConfig about resources, devices and confinement. */
export const containerResources: PlayBook = {
  noun: "container-resources",
  plays: [
    each("blkio weights, which this kernel has not", [
      { BlkioWeight: 300 },
      { BlkioWeightDevice: [{ Path: "/dev/gantry-none", Weight: 200 }] },
      { BlkioWeight: 300, BlkioWeightDevice: [{ Path: "/dev/null", Weight: 2 }] },
    ]),
    each("blkio rates of a device that is not there", [{ BlkioDeviceReadBps: [{ Path: "/dev/gantry-none", Rate: 1000 }] }]),
    each("real-time CPU out of range", [{ CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000 }]),
    each("GPUs without a runtime for them", [
      { DeviceRequests: [{ Driver: "", Count: -1, Capabilities: [["gpu"]] }] },
      { DeviceRequests: [{ Driver: "nvidia", Count: 1, Capabilities: [["gpu", "compute"], ["gpu"]] }] },
      { DeviceRequests: [{ Driver: "other" }] },
      { DeviceRequests: [{}] },
    ]),
    each("CDI devices", [
      { DeviceRequests: [cdi] },
      { DeviceRequests: [{ ...cdi, DeviceIDs: ["malformed", "gantry.test/none=two"] }] },
      { DeviceRequests: [{ ...cdi, DeviceIDs: [] }] },
      { DeviceRequests: [{ ...cdi, Count: 2 }] },
      { DeviceRequests: [{ ...cdi, Options: { a: "b" } }] },
    ]),
    each("an unknown storage option", [{ StorageOpt: { color: "red" } }]),
    each("what Docker has for Windows", [
      { CpuCount: 1 },
      { CpuPercent: 50 },
      { IOMaximumIOps: 10 },
      { IOMaximumBandwidth: 10 },
      { Isolation: "hyperv" },
      { Isolation: "Default" },
      { Cgroup: "x" },
    ]),
    each("limits of the kernel's memory", [{ KernelMemory: 50_000_000 }]),
    each(
      "writable cgroups",
      [
        { SecurityOpt: ["writable-cgroups=true"] },
        { SecurityOpt: ["writable-cgroups"] },
        { SecurityOpt: ["writable-cgroups=false"] },
        { SecurityOpt: ["writable-cgroups=x"] },
      ],
      shell("mount | grep 'type cgroup' | grep -c '(rw'"),
    ),
    each("the host's IPC namespace", [{ IpcMode: "host" }], shell("mount | grep -c mqueue")),
    each(
      "limits of processes",
      [{ Ulimits: [{ Name: "core", Soft: -1, Hard: -1 }] }, { Ulimits: [{ Name: "nofile", Soft: 100, Hard: 200 }] }],
      shell("ulimit -c; ulimit -n; ulimit -Hn"),
    ),
    each("groups", [{ GroupAdd: ["100", "wheel", "users"] }], ["id"]),
    play("docker run with devices and limits", async (t) => {
      for (const flags of [
        ["--gpus", "all"],
        ["--device", "gantry.test/none=one"],
        ["--blkio-weight", "300"],
        ["--device-read-bps", "/dev/gantry-none:1mb"],
        ["--cpu-rt-period", "1000", "--cpu-rt-runtime", "2000"],
      ])
        await t.docker("run", "--rm", "--network", "none", ...flags, "busybox", "echo", "ran");
    }),
  ],
};
