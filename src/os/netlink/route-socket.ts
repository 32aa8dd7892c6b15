import { SystemError } from "../libc.ts";
import { listAddresses, parseAddress, type LinkAddress } from "./address.ts";
import { getLink, listLinks, parseLink, type Link } from "./link.ts";
import type { NetlinkRequest } from "./message.ts";
import { listRoutes, parseRoute, type Route } from "./route.ts";
import { NetlinkSocket } from "./socket.ts";

const NETLINK_ROUTE = 0;

/** Links, addresses and routes of one network namespace: that of the thread at the moment the socket is made. */
export class RouteSocket implements Disposable {
  readonly #socket = new NetlinkSocket(NETLINK_ROUTE);

  /** Carries out the requests in order, in one system call. @throws {SystemError} of the first that failed; the others are carried out */
  apply(...requests: readonly NetlinkRequest[]): void {
    this.#socket.request(requests);
  }

  links(): Link[] {
    return this.#socket.dump(listLinks).map(parseLink);
  }

  /** The link of this name; undefined when there is none. */
  link(name: string): Link | undefined {
    try {
      return parseLink(this.#socket.get(getLink(name)));
    } catch (error) {
      if (error instanceof SystemError && error.code === "ENODEV") return undefined;
      throw error;
    }
  }

  addresses(): LinkAddress[] {
    return this.#socket.dump(listAddresses).flatMap((message) => parseAddress(message) ?? []);
  }

  /** Unicast routes of the main table. */
  routes(): Route[] {
    return this.#socket.dump(listRoutes).flatMap((message) => parseRoute(message) ?? []);
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }
}
