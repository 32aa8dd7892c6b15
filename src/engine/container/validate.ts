import { isIP } from "node:net";
import { EngineError } from "#lib/errors.ts";
import type { ContainerConfig, ContainerUpdateRequest, HostConfig } from "#types/engine-api/index.ts";
import { validateRestartPolicy } from "./restart-policy.ts";
import { parseSignal } from "./signals.ts";

const minimumMemoryBytes = 6 * 1024 * 1024;
const minimumCheckNanoseconds = 1_000_000;

function invalid(message: string): EngineError {
  return new EngineError("invalid", message);
}

/** What a value may be depends on the kernel. */
export interface KernelAbilities {
  readonly hasCpuRealtime: boolean;
}

/** Everything about a container's configuration that can be known before it is made. @throws {EngineError} `invalid` with Docker's texts */
export function validateConfig(config: ContainerConfig, host: HostConfig, kernel: KernelAbilities): void {
  validateProcess(config);
  validateHealthcheck(config);
  validateRestartPolicy(host.RestartPolicy);
  if (host.AutoRemove && host.RestartPolicy?.Name && host.RestartPolicy.Name !== "no") {
    throw invalid("can't create 'AutoRemove' container with restart policy");
  }
  validatePlatform(host);
  validateMemory(host);
  validateCpu(host);
  validateRealtime(host, kernel);
  validateModes(host);
  validateMaps(host);
}

/** As `validateConfig`, for the limits and the policy of an update. @throws {EngineError} `invalid` with Docker's texts */
export function validateUpdate(update: ContainerUpdateRequest, kernel: KernelAbilities): void {
  const { RestartPolicy: policy, ...limits } = update;
  if (policy?.Name) validateRestartPolicy(policy); // without a name it is none
  validateMemory(limits, { isUpdate: true });
  validateCpu(limits);
  validateRealtime(limits, kernel);
  // A create leaves these to the kernel, which takes the nearest value.
  const shares = limits.CpuShares ?? 0;
  if (shares === 1) throw invalid("the minimum allowed cpu-shares is 2");
  if (shares > 262144) throw invalid("the maximum allowed cpu-shares is 262144");
}

function validateProcess(config: ContainerConfig): void {
  for (const entry of config.Env ?? []) {
    if (entry === "" || entry.startsWith("=")) throw invalid(`invalid environment variable: ${entry}`);
  }
  const directory = config.WorkingDir ?? "";
  if (directory !== "" && !directory.startsWith("/")) {
    throw invalid(`the working directory '${directory}' is invalid, it needs to be an absolute path`);
  }
  if (config.StopSignal) parseSignal(config.StopSignal);
  if (config.Hostname && !isHostname(config.Hostname)) throw invalid(`invalid hostname format: ${config.Hostname}`);
  if (config.Domainname && !isHostname(config.Domainname)) throw invalid(`invalid domainname format: ${config.Domainname}`);
}

function isHostname(text: string): boolean {
  // Underscores are in no host name of RFC 1123, and in many of compose files; the kernel and resolvers take them.
  return /^[a-zA-Z0-9]([a-zA-Z0-9._-]{0,62}[a-zA-Z0-9.]|)$/.test(text) && !text.includes("..");
}

function validateHealthcheck(config: ContainerConfig): void {
  const check = config.Healthcheck;
  if (!check) return;
  for (const field of ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const) {
    const value = check[field] ?? 0;
    if (value !== 0 && value < minimumCheckNanoseconds) throw invalid(`${field} in Healthcheck cannot be less than 1ms`);
  }
  if ((check.Retries ?? 0) < 0) throw invalid("Retries in Healthcheck cannot be negative");
}

function validateMemory(host: HostConfig, { isUpdate = false } = {}): void {
  const memory = host.Memory ?? 0;
  const swap = host.MemorySwap ?? 0;
  if (memory !== 0 && memory < minimumMemoryBytes) throw invalid("Minimum memory limit allowed is 6MB");
  if (memory > 0 && swap > 0 && swap < memory) throw invalid("Minimum memoryswap limit should be larger than memory limit, see usage");
  // An update may rely on the limit that is set already.
  if (memory === 0 && swap > 0 && !isUpdate) throw invalid("You should always set the Memory limit when using Memoryswap limit, see usage");
  const reservation = host.MemoryReservation ?? 0;
  if (reservation > 0 && reservation < minimumMemoryBytes) throw invalid("Minimum memory reservation allowed is 6MB");
  if (memory > 0 && reservation > memory) throw invalid("Minimum memory limit can not be less than memory reservation limit, see usage");
  const swappiness = host.MemorySwappiness ?? -1;
  if (swappiness < -1 || swappiness > 100) throw invalid(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  if ((host.ShmSize ?? 0) < 0) throw invalid("SHM size can not be less than 0");
  const score = host.OomScoreAdj ?? 0;
  if (score < -1000 || score > 1000) throw invalid(`Invalid value ${score}, range for oom score adj is [-1000, 1000]`);
}

function validateCpu(host: HostConfig): void {
  if ((host.CpuShares ?? 0) < 0) throw invalid(`invalid CPU shares (${host.CpuShares}): value must be a positive integer`);
  const nano = host.NanoCpus ?? 0;
  if (nano > 0 && (host.CpuPeriod ?? 0) > 0) throw invalid("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  if (nano > 0 && (host.CpuQuota ?? 0) > 0) throw invalid("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  const available = navigator.hardwareConcurrency;
  if (nano < 0 || nano > available * 1e9) {
    throw invalid(`range of CPUs is from 0.01 to ${available}.00, as there are only ${available} CPUs available`);
  }
  const period = host.CpuPeriod ?? 0;
  if (period !== 0 && (period < 1000 || period > 1_000_000))
    throw invalid("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  const quota = host.CpuQuota ?? 0;
  if (quota > 0 && quota < 1000) throw invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)");
  validateBlkioWeight(host.BlkioWeight ?? 0);
}

/** @throws {EngineError} `invalid` with Docker's text */
export function validateBlkioWeight(weight: number): void {
  if (weight !== 0 && (weight < 10 || weight > 1000)) throw invalid("Range of blkio weight is from 10 to 1000");
}

/** What Docker has for Windows only. */
function validatePlatform(host: HostConfig): void {
  const isolation = host.Isolation ?? "";
  if (!["", "default"].includes(isolation.toLowerCase())) throw invalid(`invalid isolation (${isolation}): linux only supports 'default'`);
  if (host.IOMaximumBandwidth) throw invalid("invalid option: QoS maximum bandwidth configuration is not supported on linux");
  if (host.IOMaximumIOps) throw invalid("invalid option: QoS maximum IOPs configuration is not supported on linux");
}

function validateRealtime({ CpuRealtimePeriod: period = 0, CpuRealtimeRuntime: runtime = 0 }: HostConfig, kernel: KernelAbilities): void {
  if ((period !== 0 || runtime !== 0) && !kernel.hasCpuRealtime) throw invalid("kernel does not support CPU real-time scheduler");
  if (period !== 0 && runtime !== 0 && runtime > period) throw invalid("cpu real-time runtime cannot be higher than cpu real-time period");
}

function validateModes(host: HostConfig): void {
  checkMode("IPC", host.IpcMode, ["", "none", "private", "shareable", "host"]);
  checkMode("PID", host.PidMode, ["", "host"]);
  checkMode("UTS", host.UTSMode, ["", "host"], false);
  const user = host.UsernsMode ?? "";
  if (user !== "" && user !== "host") throw invalid(`invalid user namespace mode: ${user}`);
  const cgroup = host.CgroupnsMode ?? "";
  if (!["", "host", "private"].includes(cgroup)) throw invalid(`invalid cgroup namespace mode: ${cgroup}`);
}

function checkMode(kind: string, mode: string | undefined, known: readonly string[], container = true): void {
  const text = mode ?? "";
  if (known.includes(text)) return;
  if (container && /^container:./.test(text)) return;
  throw invalid(`invalid ${kind} mode: ${text}`);
}

function validateMaps(host: HostConfig): void {
  if (host.Annotations && "" in host.Annotations) {
    throw invalid("invalid Annotations: the empty string is not permitted as an annotation key");
  }
  for (const entry of host.ExtraHosts ?? []) {
    const separator = entry.includes("=") ? entry.indexOf("=") : entry.indexOf(":");
    const address = entry.slice(separator + 1).replace(/^\[(.*)\]$/, "$1");
    if (separator <= 0) throw invalid(`bad format for add-host: ${JSON.stringify(entry)}`);
    if (address !== "host-gateway" && isIP(address) === 0) throw invalid(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  }
  for (const address of host.Dns ?? []) {
    if (isIP(address) === 0) throw invalid(`bad nameserver address ${address}: ParseAddr(${JSON.stringify(address)}): unable to parse IP`);
  }
  for (const limit of host.Ulimits ?? []) {
    if (limit.Hard !== undefined && limit.Soft !== undefined && limit.Hard !== -1 && limit.Soft > limit.Hard) {
      throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${limit.Soft} > ${limit.Hard}`);
    }
  }
}
