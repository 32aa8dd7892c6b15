import { describe, expect, test } from "bun:test";
import dgram from "node:dgram";
import { closeSync, openSync, readdirSync, readlinkSync } from "node:fs";
import { check, libc } from "#os/libc.ts";

const CLONE_NEWNET = 0x40000000;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SIOCSIFFLAGS = 0x8914;

const ownNamespace = (): string => readlinkSync("/proc/thread-self/ns/net");

/** Runs FFI calls in a network namespace of their own; nothing else may happen inside. */
function inNewNamespace<T>(body: () => T): T {
  const home = openSync("/proc/thread-self/ns/net", "r");
  try {
    check(libc.unshare(CLONE_NEWNET), "unshare");
    try {
      return body();
    } finally {
      check(libc.setns(home, CLONE_NEWNET), "setns");
    }
  } finally {
    closeSync(home);
  }
}

function boundUdpSocket(): number {
  const loopbackUp = Buffer.alloc(40); // struct ifreq: name, flags IFF_UP | IFF_RUNNING
  loopbackUp.write("lo");
  loopbackUp.writeInt16LE(0x41, 16);
  const descriptor = check(libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket");
  check(libc.ioctl(descriptor, SIOCSIFFLAGS, loopbackUp), "lo up");
  const address = Buffer.from([AF_INET, 0, 0, 53, 127, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0]);
  check(libc.bind(descriptor, address, address.length), "bind 127.0.0.11:53");
  return descriptor;
}

describe.skipIf(process.getuid?.() !== 0)("a setns window of the main thread (needs root)", () => {
  test("leaves sockets of the other namespace that work from here, and no thread behind", async () => {
    const home = ownNamespace();
    const descriptors: number[] = [];
    for (let round = 0; round < 20; round++) {
      descriptors.push(inNewNamespace(boundUdpSocket));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(ownNamespace()).toBe(home);
    const strays = readdirSync("/proc/self/task").filter((thread) => readlinkSync(`/proc/self/task/${thread}/ns/net`) !== home);
    expect(strays).toEqual([]);
    const [first = -1, ...others] = descriptors;
    for (const descriptor of others) closeSync(descriptor);
    const server = dgram.createSocket("udp4");
    const received = new Promise<string>((resolve) =>
      server.on("message", (message, sender) => resolve(`${message.toString()} from ${sender.address}`)),
    );
    await new Promise<void>((resolve) => server.bind({ fd: first }, resolve));
    expect(server.address()).toMatchObject({ address: "127.0.0.11", port: 53 });
    server.send("query", 53, "127.0.0.11");
    expect(await received).toBe("query from 127.0.0.11");
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
});
