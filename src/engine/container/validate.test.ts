import { expect, test } from "bun:test";
import type { ContainerConfig, HostConfig } from "#types/engine-api/index.ts";
import { validateConfig } from "./validate.ts";

const host =
  (fields: HostConfig, hasCpuRealtime = true) =>
  () =>
    validateConfig({}, fields, { hasCpuRealtime });
const config = (fields: ContainerConfig) => () => validateConfig(fields, {}, { hasCpuRealtime: false });

test("what Docker's client sends for a plain run is accepted", () => {
  const sent: HostConfig = {
    NetworkMode: "bridge",
    RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    ConsoleSize: [24, 80],
    MemorySwappiness: -1,
    ShmSize: 0,
  };
  expect(host(sent)).not.toThrow();
});

test.each([
  [host({ IpcMode: "invalid" }), "invalid IPC mode: invalid"],
  [host({ PidMode: "container" }), "invalid PID mode: container"],
  [host({ UTSMode: "container:x" }), "invalid UTS mode: container:x"],
  [host({ CpuShares: -1 }), "invalid CPU shares (-1): value must be a positive integer"],
  [host({ Annotations: { "": "x" } }), "invalid Annotations: the empty string is not permitted as an annotation key"],
  [config({ Env: ["=foo"] }), "invalid environment variable: =foo"],
  [host({ ShmSize: -1 }), "SHM size can not be less than 0"],
  [host({ Memory: 1 }), "Minimum memory limit allowed is 6MB"],
  [host({ OomScoreAdj: 1001 }), "range for oom score adj is [-1000, 1000]"],
  [host({ RestartPolicy: { Name: "sometimes" } }), "unknown policy 'sometimes'"],
  [host({ RestartPolicy: { Name: "always", MaximumRetryCount: 1 } }), "maximum retry count can only be used with 'on-failure'"],
  [host({ RestartPolicy: { Name: "on-failure", MaximumRetryCount: -1 } }), "maximum retry count cannot be negative"],
  [host({ AutoRemove: true, RestartPolicy: { Name: "always" } }), "can't create 'AutoRemove' container with restart policy"],
  [config({ Healthcheck: { Interval: 1 } }), "Interval in Healthcheck cannot be less than 1ms"],
  [config({ Healthcheck: { Retries: -1 } }), "Retries in Healthcheck cannot be negative"],
  [config({ WorkingDir: "relative" }), "needs to be an absolute path"],
  [config({ StopSignal: "SIG42X" }), "invalid signal: SIG42X"],
  [config({ Hostname: "a b" }), "invalid hostname format: a b"],
  [host({ CpuRealtimePeriod: 1000 }, false), "kernel does not support CPU real-time scheduler"],
  [host({ CpuRealtimeRuntime: 1000 }, false), "kernel does not support CPU real-time scheduler"],
  [host({ CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000 }), "cpu real-time runtime cannot be higher than cpu real-time period"],
  [host({ Isolation: "hyperv" }), "invalid isolation (hyperv): linux only supports 'default'"],
  [host({ IOMaximumIOps: 1 }), "invalid option: QoS maximum IOPs configuration is not supported on linux"],
  [host({ IOMaximumBandwidth: 1 }), "invalid option: QoS maximum bandwidth configuration is not supported on linux"],
  [host({ Dns: ["x"] }), "bad nameserver address x"],
  [host({ ExtraHosts: ["a:999.1.1.1"] }), "invalid IP address in add-host"],
])("%p is refused", (body, message) => {
  expect(body).toThrow(message);
});
