import {
  attribute,
  decodeAttributes,
  nested,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  textOf,
  uint32,
  uint8,
  zeroTerminated,
  type NetlinkMessage,
  type NetlinkRequest,
} from "./message.ts";

/// Links of rtnetlink. Source: rtnetlink(7), linux/if_link.h.
const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;
const IFF_UP = 1;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_MASTER = 10;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const VETH_INFO_PEER = 1;
const IFLA_BRPORT_STATE = 1;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_FLUSH = 21;
const IFLA_BRPORT_ISOLATED = 33;
const BR_STATE_DISABLED = 0;
const acknowledged = NLM_F_REQUEST | NLM_F_ACK;

/** A link as the kernel describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `bridge`, `veth`, …; absent for physical links and lo. */
  readonly kind: string | undefined;
  /** Index of the bridge that the link is a port of. */
  readonly master: number | undefined;
  /** Lowercase, with colons. */
  readonly mac: string | undefined;
  readonly mtu: number;
  readonly up: boolean;
  /** Free text kept by the kernel: the mark of who made the link. */
  readonly alias: string | undefined;
}

/** A bridge, down at first. A fixed MAC keeps it from changing with its ports. */
export function createBridge(bridge: { name: string; mac: string; mtu: number }): NetlinkRequest {
  const parts = [
    linkHeader(0, 0, 0),
    attribute(IFLA_IFNAME, zeroTerminated(bridge.name)),
    attribute(IFLA_ADDRESS, macBytes(bridge.mac)),
    attribute(IFLA_MTU, uint32(bridge.mtu)),
    nested(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, zeroTerminated("bridge"))),
  ];
  return { what: `create bridge ${bridge.name}`, type: RTM_NEWLINK, flags: acknowledged | NLM_F_CREATE | NLM_F_EXCL, parts };
}

export interface VethPair {
  readonly name: string;
  /** Index of the bridge; 0: none. */
  readonly master: number;
  readonly mtu: number;
  readonly peer: {
    readonly name: string;
    /** Absent: the kernel's choice. */
    readonly mac?: string;
    /** Descriptor of the namespace where the peer is born. */
    readonly namespace: number;
  };
}

/** Both ends in one message: the host's end up and enslaved, the peer down in its namespace. */
export function createVethPair(pair: VethPair): NetlinkRequest {
  const peer = Buffer.concat([
    linkHeader(0, 0, 0),
    attribute(IFLA_IFNAME, zeroTerminated(pair.peer.name)),
    attribute(IFLA_NET_NS_FD, uint32(pair.peer.namespace)),
    attribute(IFLA_MTU, uint32(pair.mtu)),
    ...(pair.peer.mac === undefined ? [] : [attribute(IFLA_ADDRESS, macBytes(pair.peer.mac))]),
  ]);
  const parts = [
    linkHeader(0, IFF_UP, IFF_UP),
    attribute(IFLA_IFNAME, zeroTerminated(pair.name)),
    attribute(IFLA_MTU, uint32(pair.mtu)),
    ...(pair.master === 0 ? [] : [attribute(IFLA_MASTER, uint32(pair.master))]),
    nested(IFLA_LINKINFO, attribute(IFLA_INFO_KIND, zeroTerminated("veth")), nested(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, peer))),
  ];
  return { what: `create link ${pair.name}`, type: RTM_NEWLINK, flags: acknowledged | NLM_F_CREATE | NLM_F_EXCL, parts };
}

export interface LinkChange {
  readonly up?: boolean;
  /** Index of a bridge; 0 takes the link out of its bridge. */
  readonly master?: number;
  readonly mac?: string;
  readonly mtu?: number;
  readonly name?: string;
  readonly alias?: string;
}

/** Changes a link found by index. */
export function changeLink(index: number, change: LinkChange): NetlinkRequest {
  const parts = [linkHeader(index, change.up ? IFF_UP : 0, change.up === undefined ? 0 : IFF_UP)];
  if (change.master !== undefined) parts.push(attribute(IFLA_MASTER, uint32(change.master)));
  if (change.mac !== undefined) parts.push(attribute(IFLA_ADDRESS, macBytes(change.mac)));
  if (change.mtu !== undefined) parts.push(attribute(IFLA_MTU, uint32(change.mtu)));
  if (change.name !== undefined) parts.push(attribute(IFLA_IFNAME, zeroTerminated(change.name)));
  if (change.alias !== undefined) parts.push(attribute(IFLA_IFALIAS, Buffer.from(change.alias)));
  return { what: `change link ${index}`, type: RTM_NEWLINK, flags: acknowledged, parts };
}

export interface BridgePortChange {
  /** Frames may leave by the port they came from. */
  readonly hairpin?: boolean;
  /** No frames between this port and other isolated ones. */
  readonly isolated?: boolean;
  /** Nothing passes any more, and its learnt addresses are forgotten. Unlike taking the link down it waits for no grace period. */
  readonly disabled?: true;
}

/** Changes a port of a bridge found by the link's name. */
export function changeBridgePort(name: string, change: BridgePortChange): NetlinkRequest {
  const options: Buffer[] = [];
  if (change.hairpin !== undefined) options.push(attribute(IFLA_BRPORT_MODE, uint8(Number(change.hairpin))));
  if (change.isolated !== undefined) options.push(attribute(IFLA_BRPORT_ISOLATED, uint8(Number(change.isolated))));
  if (change.disabled) options.push(attribute(IFLA_BRPORT_STATE, uint8(BR_STATE_DISABLED)), attribute(IFLA_BRPORT_FLUSH, Buffer.alloc(0)));
  const kind = attribute(IFLA_INFO_SLAVE_KIND, zeroTerminated("bridge"));
  const parts = [
    linkHeader(0, 0, 0),
    attribute(IFLA_IFNAME, zeroTerminated(name)),
    nested(IFLA_LINKINFO, kind, nested(IFLA_INFO_SLAVE_DATA, ...options)),
  ];
  return { what: `change bridge port ${name}`, type: RTM_NEWLINK, flags: acknowledged, parts };
}

/** Waits for a grace period of the kernel (about 30 ms): only on the kernel worker. */
export function removeLink(name: string): NetlinkRequest {
  const parts = [linkHeader(0, 0, 0), attribute(IFLA_IFNAME, zeroTerminated(name))];
  return { what: `remove link ${name}`, type: RTM_DELLINK, flags: acknowledged, parts };
}

export const listLinks: NetlinkRequest = { what: "list links", type: RTM_GETLINK, flags: 0, parts: [Buffer.alloc(16)] };

export function getLink(name: string): NetlinkRequest {
  const parts = [linkHeader(0, 0, 0), attribute(IFLA_IFNAME, zeroTerminated(name))];
  return { what: `find link ${name}`, type: RTM_GETLINK, flags: 0, parts };
}

export function parseLink(message: NetlinkMessage): Link {
  const attributes = decodeAttributes(message.payload.subarray(16));
  const mac = attributes.get(IFLA_ADDRESS);
  return {
    index: message.payload.readInt32LE(4),
    name: textOf(attributes.get(IFLA_IFNAME)) ?? "",
    kind: textOf(decodeAttributes(attributes.get(IFLA_LINKINFO) ?? Buffer.alloc(0)).get(IFLA_INFO_KIND)),
    master: attributes.get(IFLA_MASTER)?.readUInt32LE(0),
    mac: mac?.length === 6 ? [...mac].map((byte) => byte.toString(16).padStart(2, "0")).join(":") : undefined,
    mtu: attributes.get(IFLA_MTU)?.readUInt32LE(0) ?? 0,
    up: (message.payload.readUInt32LE(8) & IFF_UP) !== 0,
    alias: textOf(attributes.get(IFLA_IFALIAS)),
  };
}

/** struct ifinfomsg. */
function linkHeader(index: number, flags: number, changed: number): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(index, 4);
  header.writeUInt32LE(flags, 8);
  header.writeUInt32LE(changed, 12);
  return header;
}

/** @throws {TypeError} unless the text is six hex bytes with colons */
function macBytes(text: string): Buffer {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) throw new TypeError(`invalid MAC address ${JSON.stringify(text)}`);
  return Buffer.from(text.replaceAll(":", ""), "hex");
}
