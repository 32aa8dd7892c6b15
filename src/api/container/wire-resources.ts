import type { HostConfig } from "#types/engine-api/index.ts";

type Shown = Partial<Pick<HostConfig, "Devices" | "DeviceRequests" | "Ulimits">>;

/** Entries of lists as inspect shows them: with every field, also those that the request left out. */
export function toWireResources({ Devices, DeviceRequests, Ulimits }: HostConfig): Shown {
  return {
    ...(Devices && { Devices: Devices.map((device) => ({ PathOnHost: "", PathInContainer: "", CgroupPermissions: "", ...device })) }),
    ...(DeviceRequests && {
      DeviceRequests: DeviceRequests.map(({ Driver = "", Count = 0, DeviceIDs = null, Capabilities = null, Options = null }) => ({
        ...{ Driver, Count, DeviceIDs, Capabilities, Options },
      })),
    }),
    ...(Ulimits && { Ulimits: Ulimits.map(({ Name = "", Hard = 0, Soft = 0 }) => ({ Name, Hard, Soft })) }),
  };
}
