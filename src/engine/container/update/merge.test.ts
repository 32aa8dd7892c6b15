import { describe, expect, test } from "bun:test";
import { mergeUpdate } from "./merge.ts";
import { updatedResources } from "./resources.ts";

const available = { cpus: "0-3", mems: "0" };

describe("mergeUpdate()", () => {
  test("changes what the update speaks of, and nothing else", () => {
    const host = { Memory: 1, MemorySwap: 10, CpuShares: 5, Privileged: true, RestartPolicy: { Name: "no", MaximumRetryCount: 0 } };
    const update = { Memory: 2, CpuShares: 0, CpusetCpus: "0", PidsLimit: -1, Devices: [{}], RestartPolicy: { Name: "always" } };
    expect(mergeUpdate(host, update)).toEqual({
      ...host,
      Memory: 2,
      CpusetCpus: "0",
      PidsLimit: 0,
      RestartPolicy: { Name: "always", MaximumRetryCount: 0 },
    });
  });

  test.each([
    [{ MemorySwap: 10 }, { Memory: 11 }, "update the memoryswap at the same time"],
    [{ CpuPeriod: 1 }, { NanoCpus: 1 }, "Nano CPUs cannot be updated as CPU Period has already been set"],
    [{ CpuQuota: 1 }, { NanoCpus: 1 }, "Nano CPUs cannot be updated as CPU Quota has already been set"],
    [{ NanoCpus: 1 }, { CpuPeriod: 1 }, "CPU Period cannot be updated as NanoCPUs has already been set"],
    [{ NanoCpus: 1 }, { CpuQuota: 1 }, "CPU Quota cannot be updated as NanoCPUs has already been set"],
    [{ AutoRemove: true }, { RestartPolicy: { Name: "always" } }, "because AutoRemove is enabled"],
  ])("%j refuses %j", (host, update, message) => {
    expect(() => mergeUpdate(host, update)).toThrow(message);
  });
});

describe("updatedResources()", () => {
  test("gives memory with its swap, and quota with its period", () => {
    const host = { Memory: 100, MemorySwap: 300, CpuQuota: 5000, CpuPeriod: 10_000, CpuShares: 7, PidsLimit: 9 };
    expect(updatedResources(host, { Memory: 100 }, available)).toEqual({ memory: { limit: 100, swap: 300 } });
    expect(updatedResources(host, { CpuQuota: 5000 }, available)).toEqual({ cpu: { quota: 5000, period: 10_000 } });
    expect(updatedResources({ ...host, PidsLimit: 0 }, { PidsLimit: 0 }, available)).toEqual({ pids: { limit: -1 } });
    expect(updatedResources(host, { RestartPolicy: { Name: "no" } }, available)).toBeUndefined();
  });

  test("takes an update back to what there was, or to no limit", () => {
    const update = { Memory: 5, MemoryReservation: 5, CpuShares: 5, NanoCpus: 5, CpusetCpus: "1", CpusetMems: "0", PidsLimit: 5 };
    expect(updatedResources({}, update, available)).toEqual({
      memory: { limit: -1, swap: -1, reservation: -1 },
      cpu: { shares: 1024, period: 100_000, quota: -1, cpus: "0-3", mems: "0" },
      pids: { limit: -1 },
    });
  });
});
