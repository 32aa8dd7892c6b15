import { addressBytes, addressFamily, addressText, type Family } from "./ip-address.ts";
import {
  attribute,
  decodeAttributes,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  uint32,
  type NetlinkMessage,
  type NetlinkRequest,
} from "./message.ts";

/// Routes of the main table. Source: rtnetlink(7), linux/rtnetlink.h.
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;

export interface Route {
  readonly family: Family;
  /** Absent for the default route. */
  readonly destination?: string;
  readonly prefixLength: number;
  readonly gateway?: string;
  /** Index of the link. */
  readonly index?: number;
}

/** Adds a route, or replaces the one to the same destination. */
export function replaceRoute(route: Route): NetlinkRequest {
  return routeRequest(`add route ${describe(route)}`, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, route);
}

export function removeRoute(route: Route): NetlinkRequest {
  return routeRequest(`remove route ${describe(route)}`, RTM_DELROUTE, 0, route);
}

export const listRoutes: NetlinkRequest = { what: "list routes", type: RTM_GETROUTE, flags: 0, parts: [Buffer.alloc(12)] };

/** A unicast route of the main table; undefined for the others (local, broadcast, other tables). */
export function parseRoute(message: NetlinkMessage): Route | undefined {
  const { payload } = message;
  const family = payload[0] === addressFamily[4] ? 4 : payload[0] === addressFamily[6] ? 6 : undefined;
  if (!family || payload[4] !== RT_TABLE_MAIN || payload[7] !== RTN_UNICAST) return undefined;
  const attributes = decodeAttributes(payload.subarray(12));
  const [destination, gateway, index] = [attributes.get(RTA_DST), attributes.get(RTA_GATEWAY), attributes.get(RTA_OIF)];
  return {
    family,
    prefixLength: payload[1] ?? 0,
    ...(destination && { destination: addressText(destination) }),
    ...(gateway && { gateway: addressText(gateway) }),
    ...(index && { index: index.readUInt32LE(0) }),
  };
}

function routeRequest(what: string, type: number, flags: number, route: Route): NetlinkRequest {
  const scope = route.gateway === undefined && route.family === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  const header = Buffer.of(
    addressFamily[route.family],
    route.prefixLength,
    0,
    0,
    RT_TABLE_MAIN,
    RTPROT_BOOT,
    scope,
    RTN_UNICAST,
    0,
    0,
    0,
    0,
  );
  const parts: Buffer[] = [header];
  if (route.destination !== undefined) parts.push(attribute(RTA_DST, addressBytes(route.destination)));
  if (route.gateway !== undefined) parts.push(attribute(RTA_GATEWAY, addressBytes(route.gateway)));
  if (route.index !== undefined) parts.push(attribute(RTA_OIF, uint32(route.index)));
  return { what, type, flags: flags | NLM_F_REQUEST | NLM_F_ACK, parts };
}

function describe(route: Route): string {
  const target = route.destination === undefined ? "default" : `${route.destination}/${route.prefixLength}`;
  return route.gateway === undefined ? target : `${target} via ${route.gateway}`;
}
