import { afterEach, describe, expect, test } from "bun:test";
import { closeSync } from "node:fs";
import { localAddress, openBoundSocket } from "#os/socket.ts";
import { PortAllocator, type PortLease } from "./ports.ts";
import type { PortRequest } from "./types.ts";

/// Ports are really bound here, on loopback addresses; which ones are free is asked of the kernel.
const target = { ipv4: "10.81.0.2" };
const held: (() => void)[] = [];

afterEach(() => {
  for (const release of held.splice(0)) release();
});

function allocate(allocator: PortAllocator, ...requests: PortRequest[]): PortLease[] {
  const leases = allocator.allocate(requests, target);
  held.push(() => {
    for (const lease of leases) if (lease.forwarded && lease.descriptor !== undefined) closeSync(lease.descriptor);
    allocator.release(leases);
  });
  return leases;
}

/** A port of the kernel's choice, free a moment ago. */
function freePort(): number {
  const descriptor = openBoundSocket({ protocol: "tcp", address: "127.0.0.1", port: 0 });
  const { port } = localAddress(descriptor);
  closeSync(descriptor);
  return port;
}

const request = (hostPortFirst: number, options: Partial<PortRequest> = {}): PortRequest => ({
  protocol: "tcp",
  containerPort: 80,
  hostIp: "127.0.0.1",
  hostPortFirst,
  hostPortLast: hostPortFirst,
  ...options,
});

describe("a published port", () => {
  test("is held against every other program, and free after its release", () => {
    const allocator = new PortAllocator();
    const port = freePort();
    const leases = allocator.allocate([request(port)], target);
    const bind = (): void => closeSync(openBoundSocket({ protocol: "tcp", address: "127.0.0.1", port, listen: true, reuseAddress: true }));
    expect(bind).toThrow("address already in use");
    allocator.release(leases);
    expect(bind).not.toThrow();
  });

  test("that this engine has given out is refused with Docker's words, also by way of the wildcard address", () => {
    const allocator = new PortAllocator();
    const port = freePort();
    allocate(allocator, request(port));
    expect(() => allocate(allocator, request(port))).toThrow(`Bind for 127.0.0.1:${port} failed: port is already allocated`);
    expect(() => allocate(allocator, request(port, { hostIp: "0.0.0.0" }))).toThrow(
      `Bind for 0.0.0.0:${port} failed: port is already allocated`,
    );
    allocate(allocator, request(port, { hostIp: "127.0.0.2" }), request(port, { protocol: "udp" }));
  });

  test("that another program holds is refused with Docker's words", () => {
    const other = openBoundSocket({ protocol: "udp", address: "127.0.0.1", port: 0 });
    held.push(() => closeSync(other));
    const { port } = localAddress(other);
    expect(() => allocate(new PortAllocator(), request(port, { protocol: "udp" }))).toThrow(
      `failed to bind host port for 127.0.0.1:${port}:10.81.0.2:80/udp: address already in use`,
    );
  });

  test("of all addresses has one number for both families, and IPv6 is forwarded where the container has none", () => {
    const [ipv4, ipv6] = allocate(new PortAllocator(), request(0, { hostIp: "" }));
    expect(ipv4).toMatchObject({ redirected: true, forwarded: false, published: { hostIp: "0.0.0.0" } });
    expect(ipv6).toMatchObject({
      redirected: false,
      forwarded: true,
      targetAddress: "10.81.0.2",
      published: { hostIp: "::", hostPort: ipv4?.published.hostPort ?? 0 },
    });
  });
});

describe("a choice of ports", () => {
  test("of a range takes the first that is free, and fails with the last one's reason", () => {
    const allocator = new PortAllocator({ first: 47000, last: 47999 });
    const first = allocate(allocator, request(0))[0]?.published.hostPort ?? 0;
    const range = request(first, { hostPortLast: first + 1 });
    expect(allocate(allocator, range)[0]?.published.hostPort).toBe(first + 1);
    expect(() => allocate(allocator, range)).toThrow(`Bind for 127.0.0.1:${first + 1} failed: port is already allocated`);
  });

  test("of the ephemeral range goes round and ends with Docker's words", () => {
    const port = freePort();
    const allocator = new PortAllocator({ first: port, last: port });
    expect(allocate(allocator, request(0))[0]?.published.hostPort).toBe(port);
    expect(() => allocate(allocator, request(0))).toThrow("all ports are allocated");
  });

  test("gives fixed ports before ephemeral ones, and answers in the order of the requests", () => {
    const port = freePort();
    const allocator = new PortAllocator({ first: port, last: port + 50 });
    const leases = allocate(allocator, request(0, { containerPort: 1 }), request(port, { containerPort: 2 }));
    expect(leases.map((lease) => lease.published.containerPort)).toEqual([1, 2]);
    expect(leases[1]?.published.hostPort).toBe(port);
  });

  test("is all or nothing", () => {
    const allocator = new PortAllocator();
    const [taken, free] = [freePort(), freePort()];
    allocate(allocator, request(taken));
    expect(() => allocate(allocator, request(free), request(taken))).toThrow("port is already allocated");
    allocate(allocator, request(free));
  });
});
