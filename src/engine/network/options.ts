import { isIP } from "node:net";
import { EngineError } from "#lib/errors.ts";

export interface BridgeOptions {
  readonly bridge: string | undefined;
  readonly interContainer: boolean;
  readonly masquerade: boolean;
  readonly hostBinding: string;
  readonly mtu: number;
}

const prefix = "com.docker.network.";
const defaultMtu = 1500;

/** Options of the bridge driver by their Docker names; others are kept but mean nothing to it. @throws {EngineError} `invalid` */
export function bridgeOptions(options: Readonly<Record<string, string>>): BridgeOptions {
  const text = (name: string): string | undefined => options[`${prefix}${name}`];
  const bridge = text("bridge.name");
  if (bridge !== undefined && !/^[a-zA-Z0-9_.-]{1,15}$/.test(bridge))
    throw new EngineError("invalid", `invalid bridge name ${JSON.stringify(bridge)}`);
  const mtuText = text("driver.mtu") ?? String(defaultMtu);
  const mtu = Number(mtuText);
  if (!/^\d{1,5}$/.test(mtuText) || (mtu !== 0 && (mtu < 68 || mtu > 65535))) {
    throw new EngineError("invalid", `invalid value for option ${prefix}driver.mtu: ${JSON.stringify(mtuText)}`);
  }
  const binding = text("bridge.host_binding_ipv4") ?? "";
  if (binding !== "" && isIP(binding) !== 4)
    throw new EngineError("invalid", `invalid value for option ${prefix}bridge.host_binding_ipv4: ${JSON.stringify(binding)}`);
  return {
    bridge,
    interContainer: parseBoolean("bridge.enable_icc", text("bridge.enable_icc"), true),
    masquerade: parseBoolean("bridge.enable_ip_masquerade", text("bridge.enable_ip_masquerade"), true),
    hostBinding: binding === "0.0.0.0" ? "" : binding,
    mtu: mtu || defaultMtu,
  };
}

function parseBoolean(name: string, value: string | undefined, fallback: boolean): boolean {
  if (value === undefined || value === "") return fallback;
  if (["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw new EngineError("invalid", `invalid value for option ${prefix}${name}: ${JSON.stringify(value)}`);
}
