import { statSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import { deviceNumbers } from "#lib/device-numbers.ts";
import type { HostConfig } from "#types/engine-api/index.ts";
import type { RuntimeBlockIo, RuntimeThrottle } from "#types/oci/runtime-spec.ts";

/** Shares and rates of block devices, for the runtime, which knows devices by number. @throws {EngineError} `invalid` for a path that is not there */
export function toRuntimeBlockIo(host: HostConfig): RuntimeBlockIo | undefined {
  const rates = (devices: NonNullable<HostConfig["BlkioDeviceReadBps"]>): readonly RuntimeThrottle[] =>
    devices.map(({ Path = "", Rate = 0 }) => ({ ...numbersOf(Path), rate: Rate }));
  const all = {
    ...(host.BlkioWeight && { weight: host.BlkioWeight }),
    ...(host.BlkioWeightDevice?.length && {
      weightDevice: host.BlkioWeightDevice.map(({ Path = "", Weight = 0 }) => ({ ...numbersOf(Path), weight: Weight })),
    }),
    ...(host.BlkioDeviceReadBps?.length && { throttleReadBpsDevice: rates(host.BlkioDeviceReadBps) }),
    ...(host.BlkioDeviceWriteBps?.length && { throttleWriteBpsDevice: rates(host.BlkioDeviceWriteBps) }),
    ...(host.BlkioDeviceReadIOps?.length && { throttleReadIOPSDevice: rates(host.BlkioDeviceReadIOps) }),
    ...(host.BlkioDeviceWriteIOps?.length && { throttleWriteIOPSDevice: rates(host.BlkioDeviceWriteIOps) }),
  };
  return Object.keys(all).length > 0 ? all : undefined;
}

function numbersOf(path: string): { major: number; minor: number } {
  try {
    return deviceNumbers(statSync(path).rdev);
  } catch (error) {
    throw new EngineError("invalid", `stat ${path}: no such file or directory`, { cause: error });
  }
}
