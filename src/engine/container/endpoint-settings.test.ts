import { expect, test } from "bun:test";
import type { EndpointSettings } from "#types/engine-api/index.ts";
import type { NetworkConfig } from "#types/record/network.ts";
import { validateEndpointSettings } from "./endpoint-settings.ts";

const network: NetworkConfig = {
  id: "1",
  name: "own",
  driver: "bridge",
  bridge: "br-own",
  subnets: [{ family: 4, subnet: "10.5.0.0/24", gateway: "10.5.0.1", auxiliary: {} }],
  internal: false,
  interContainer: true,
  masquerade: true,
  hostBinding: "",
  mtu: 1500,
  nameResolution: true,
};
const defaultBridge: NetworkConfig = { ...network, name: "bridge", nameResolution: false };

test.each<EndpointSettings>([
  {},
  { IPAMConfig: { IPv4Address: "10.5.0.9" } },
  { IPAMConfig: { IPv4Address: "" } },
  { Aliases: ["db"], MacAddress: "02:42:AC:11:00:99" },
  { MacAddress: "02-42-ac-11-00-99" },
])("%p is fine on a user's network", (settings) => {
  expect(() => validateEndpointSettings(network, settings)).not.toThrow();
});

test.each<[NetworkConfig | undefined, EndpointSettings, string]>([
  [network, { MacAddress: "nonsense" }, "invalid MAC address nonsense"],
  [undefined, { MacAddress: "02:42:ac:11:00" }, "invalid MAC address 02:42:ac:11:00"],
  [
    network,
    { IPAMConfig: { IPv4Address: "10.6.0.9" } },
    "invalid endpoint settings:\nno configured subnet or ip-range contain the IP address 10.6.0.9",
  ],
  [
    network,
    { IPAMConfig: { IPv6Address: "fd00::1" } },
    "invalid endpoint settings:\nuser specified IP address is supported only when connecting to networks with user configured subnets",
  ],
  [
    network,
    { IPAMConfig: { IPv4Address: "nonsense" } },
    "invalid endpoint settings:\n* invalid IPv4 address: nonsense\n* no configured subnet or ip-range contain the IP address nonsense",
  ],
  [
    defaultBridge,
    { IPAMConfig: { IPv4Address: "10.5.0.9" }, Aliases: ["db"] },
    "invalid endpoint settings:\n* user specified IP address is supported on user defined networks only\n* network-scoped alias is supported only for containers in user defined networks",
  ],
])("on %p, %p is refused with every fault", (on, settings, message) => {
  expect(() => validateEndpointSettings(on, settings)).toThrow(message);
});
