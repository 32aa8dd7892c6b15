import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import net from "node:net";
import { check, libc, systemCall } from "#os/libc.ts";
import { peerUid } from "#os/peer-credentials.ts";
import { connectSeqpacket } from "#os/seqpacket.ts";
import { socketFolder, until } from "./socket-folder.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;

function listeningSocket(type: number, path: string): number {
  const descriptor = check(libc.socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket");
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  check(libc.bind(descriptor, address, 3 + path.length), "bind");
  check(libc.listen(descriptor, 8), "listen");
  return descriptor;
}

test("Bun.connect({ fd }) writes packets to a SEQPACKET socket, whole and in order, and end() is its end", async () => {
  using folder = socketFolder();
  const path = folder.path("seq");
  const listening = listeningSocket(SOCK_SEQPACKET, path);
  const client = await Bun.connect({
    fd: connectSeqpacket(path, true),
    allowHalfOpen: true,
    socket: { data() {}, end() {}, close() {} },
  } as unknown as Bun.TCPSocketConnectOptions);
  const accepted = systemCall("accept", process.arch === "arm64" ? 202 : 43, listening, null, null);
  try {
    const sizes = [1, 32768, 5];
    for (const size of sizes) expect(client.write(Buffer.alloc(size, 65))).toBe(size);
    client.end();
    const buffer = Buffer.alloc(65536);
    const received: number[] = [];
    await until("the end", () => {
      for (;;) {
        const count = Number(libc.recv(accepted, buffer, buffer.length, 0x40 /* MSG_DONTWAIT */));
        if (count < 0) return false;
        if (count === 0) return true;
        received.push(count);
      }
    });
    expect(received).toEqual(sizes);
  } finally {
    libc.close(accepted);
    libc.close(listening);
  }
});

test("net.Server listens on a descriptor that was handed over, and its connections tell who connected", async () => {
  using folder = socketFolder();
  const path = folder.path("activated");
  const server = net.createServer((socket) => {
    const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
    socket.end(`uid ${peerUid(fd)}`);
  });
  const descriptor = listeningSocket(SOCK_STREAM, path);
  await new Promise<void>((resolve) => server.listen({ fd: descriptor }, resolve));
  const received = await new Promise<string>((resolve) => {
    const client = net.connect({ path });
    client.on("data", (chunk) => resolve(chunk.toString()));
    client.on("error", (error) => resolve(error.message));
  });
  server.close();
  expect(received).toBe(`uid ${process.getuid?.()}`);
});

test("a child gets descriptors in slots 3 and up, and none that were not meant for it", async () => {
  using folder = socketFolder();
  const pair = Buffer.alloc(8);
  check(libc.pipe2(pair, SOCK_CLOEXEC), "pipe2");
  const [reading, writing] = [pair.readInt32LE(0), pair.readInt32LE(4)];
  const secret = openSync(folder.path("secret"), "w");
  const child = Bun.spawn(["/bin/sh", "-c", "echo through >&3; ls /proc/self/fd"], { stdio: ["ignore", "pipe", "inherit", writing] });
  closeSync(writing);
  const open = (await new Response(child.stdout).text()).trim().split("\n").map(Number);
  expect(readFileSync(reading, "utf8")).toBe("through\n"); // ends: nobody else holds the writing end
  closeSync(reading);
  closeSync(secret);
  // 0 to 3, and the descriptor of the folder that ls reads.
  expect(open.filter((descriptor) => descriptor > 4)).toEqual([]);
});

test("2000 spawned children leave no descriptor and no zombie behind", async () => {
  const count = (): number => Array.from(new Bun.Glob("*").scanSync({ cwd: "/proc/self/fd", onlyFiles: false })).length;
  await Bun.spawn(["/bin/true"]).exited;
  const before = count();
  for (let round = 0; round < 20; round++)
    await Promise.all(Array.from({ length: 100 }, () => Bun.spawn(["/bin/true"], { stdio: ["ignore", "ignore", "ignore"] }).exited));
  expect(count()).toBeLessThanOrEqual(before + 2);
  const states = readFileSync("/proc/self/task/" + process.pid + "/children", "utf8")
    .trim()
    .split(" ")
    .filter(Boolean);
  const zombies = states.filter((pid) => readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z "));
  expect(zombies).toEqual([]);
}, 30_000);

test("a descriptor written by writeSync is read by a child as it is", async () => {
  const pair = Buffer.alloc(8);
  check(libc.pipe2(pair, SOCK_CLOEXEC), "pipe2");
  const [reading, writing] = [pair.readInt32LE(0), pair.readInt32LE(4)];
  const child = Bun.spawn(["cat"], { stdio: [reading, "pipe", "inherit"] });
  closeSync(reading);
  writeSync(writing, "stdin by descriptor");
  closeSync(writing);
  expect(await new Response(child.stdout).text()).toBe("stdin by descriptor");
});
