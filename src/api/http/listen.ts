import { X509Certificate } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import net from "node:net";
import { hostname } from "node:os";
import tls, { type TLSSocket } from "node:tls";
import { EngineError } from "#lib/errors.ts";
import type { FrontDoor } from "./front-door.ts";
import { checkHostAndOrigin, type HostRules } from "./host-check.ts";
import { isLoopback, parseListenAddress, type ListenAddress } from "./listen-address.ts";
import type { Peer } from "./request.ts";
import { bindUnixSocket, listening } from "./unix-socket.ts";

export interface TlsFiles {
  /** PEM texts of the server's certificate (chain) and key. */
  readonly certificate: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** Authority of client certificates: clients without one of its certificates are turned away (`--tlsverify`). */
  readonly clientAuthority?: string | Uint8Array;
}

export interface ListenOptions {
  /** Group of Unix sockets. */
  readonly group?: string;
  /** For `tcp://` and for TCP sockets handed over. */
  readonly tls?: TlsFiles;
  /** Plain TCP (or TLS that does not verify its clients) on an address that others reach. Whoever connects is root on this host. */
  readonly allowInsecureTcp?: boolean;
  /** More names under which clients reach the TCP listeners. */
  readonly hostNames?: readonly string[];
  /** Origins of web pages that may call. */
  readonly allowedOrigins?: readonly string[];
  /** User id at the other end of a Unix socket's descriptor (SO_PEERCRED). */
  readonly peerUid?: (descriptor: number) => number | undefined;
  /** Connections of one listener at once; more are closed as they come. 8192 when absent. */
  readonly maximumConnections?: number;
}

export interface Listener {
  /** Where it listens: `unix:///path` or `tcp://address:port`, with the real port. */
  readonly address: string;
  /** Takes no more connections; those that are open stay. A Unix socket's file is removed. */
  close(): void;
}

/**
 * Listens on one address of `-H` and hands every connection to the front door. `fd://` may give several listeners.
 * @throws {EngineError} `invalid`, `conflict`, `forbidden` (plain TCP that others reach)
 */
export async function listen(text: string, door: FrontDoor, options: ListenOptions = {}): Promise<Listener[]> {
  const address = parseListenAddress(text, options.tls !== undefined);
  if (address.type === "unix") return [await listenUnix(address.path, door, options)];
  if (address.type === "tcp") return [await listenTcp(address, door, options)];
  return Promise.all(activatedDescriptors(address.descriptor).map((descriptor) => listenDescriptor(descriptor, door, options)));
}

async function listenUnix(path: string, door: FrontDoor, options: ListenOptions): Promise<Listener> {
  const server = plainServer(door, options, () => undefined);
  const remove = await bindUnixSocket(server, path, options.group);
  return { address: `unix://${path}`, close: () => closeServer(server, remove) };
}

async function listenTcp(address: ListenAddress & { type: "tcp" }, door: FrontDoor, options: ListenOptions): Promise<Listener> {
  refuseInsecure(address.host, options);
  const rules = hostRules(address.host, options);
  const server = options.tls ? tlsServer(door, options.tls, rules, options) : plainServer(door, options, () => rules);
  await listening(server, { host: address.host, port: address.port });
  return { address: formatTcp(server), close: () => closeServer(server) };
}

/** Socket activation: whether it is a Unix or a TCP socket is known only once the server has it. */
async function listenDescriptor(descriptor: number, door: FrontDoor, options: ListenOptions): Promise<Listener> {
  let rules: HostRules | undefined;
  const server = plainServer(door, options, () => rules);
  await listening(server, { fd: descriptor });
  if (isUnixSocket(descriptor)) return { address: `fd://${descriptor}`, close: () => closeServer(server) };
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new EngineError("invalid", `descriptor ${descriptor} is no socket to listen on`);
  if (options.tls || !isLoopback(bound.address)) {
    server.close();
    throw new EngineError(
      "invalid",
      `socket activation of tcp://${bound.address}:${bound.port}: only Unix sockets and loopback are supported, use -H tcp://`,
    );
  }
  rules = hostRules(bound.address, options);
  return { address: formatTcp(server), close: () => closeServer(server) };
}

/** The server itself says nothing of a Unix socket that was handed over. Source: proc_net(5), /proc/net/unix: the seventh word is the inode. */
function isUnixSocket(descriptor: number): boolean {
  const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1];
  return readFileSync("/proc/self/net/unix", "utf8")
    .split("\n")
    .some((line) => line.trim().split(/\s+/)[6] === inode);
}

function plainServer(door: FrontDoor, options: ListenOptions, rules: () => HostRules | undefined): net.Server {
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    const hosts = rules();
    const peer = hosts ? addressOf(socket) : uidOf(socket, options);
    door.accept(socket, { peer, ...(hosts && { checkHeaders: (headers) => checkHostAndOrigin(hosts, headers) }) });
  });
  return limited(server, options);
}

function tlsServer(door: FrontDoor, files: TlsFiles, rules: HostRules, options: ListenOptions): tls.Server {
  const settings: tls.TlsOptions & { allowHalfOpen: boolean } = {
    allowHalfOpen: true,
    cert: Buffer.from(files.certificate),
    key: Buffer.from(files.key),
    minVersion: "TLSv1.2",
    handshakeTimeout: 10_000,
    ALPNProtocols: ["http/1.1"],
    ...(files.clientAuthority && { ca: Buffer.from(files.clientAuthority), requestCert: true, rejectUnauthorized: true }),
  };
  const server = tls.createServer(settings, (socket) => {
    // Checked once more here: what follows is root on this host.
    if (files.clientAuthority && !socket.authorized) {
      socket.destroy();
      return;
    }
    const subject = subjectOf(socket);
    const peer: Peer = { ...addressOf(socket), ...(subject !== undefined && { subject }) };
    door.accept(socket, { peer, checkHeaders: (headers) => checkHostAndOrigin(rules, headers) });
  });
  // A client that speaks no TLS, has no right certificate, or says nothing.
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return limited(server, options);
}

function limited<Server extends net.Server>(server: Server, options: ListenOptions): Server {
  server.maxConnections = options.maximumConnections ?? 8192;
  server.on("error", () => {}); // of accept: one connection less, the listener goes on
  return server;
}

function refuseInsecure(host: string, options: ListenOptions): void {
  if (isLoopback(host) || options.allowInsecureTcp || options.tls?.clientAuthority) return;
  throw new EngineError(
    "forbidden",
    `refusing to listen on tcp://${host} without verified TLS: everyone who reaches it is root on this host. ` +
      "Use --tlsverify with --tlscacert, --tlscert and --tlskey, or allow it with --allow-insecure-tcp",
  );
}

function hostRules(host: string, options: ListenOptions): HostRules {
  const names = [host, hostname(), ...(options.hostNames ?? []), ...(options.tls ? certificateNames(options.tls.certificate) : [])];
  return { names: new Set(names.map((name) => name.toLowerCase())), origins: new Set(options.allowedOrigins) };
}

/** DNS names of a certificate; wildcards name no host. */
function certificateNames(certificate: string | Uint8Array): string[] {
  const alternative = new X509Certificate(Buffer.from(certificate)).subjectAltName ?? "";
  return [...alternative.matchAll(/DNS:([^,\s"*]+)/g)].map((match) => match[1] ?? "");
}

function subjectOf(socket: TLSSocket): string | undefined {
  const name = socket.getPeerCertificate()?.subject?.CN;
  return typeof name === "string" ? name : undefined;
}

function addressOf(socket: net.Socket): Peer {
  return socket.remoteAddress === undefined ? {} : { address: `${socket.remoteAddress}:${socket.remotePort}` };
}

function uidOf(socket: net.Socket, { peerUid }: ListenOptions): Peer {
  // Bun and Node keep the descriptor of an accepted connection here; there is no public name for it.
  const descriptor = (socket as { _handle?: { fd?: number } })._handle?.fd;
  const uid = descriptor === undefined || descriptor < 0 ? undefined : peerUid?.(descriptor);
  return uid === undefined ? {} : { uid };
}

function formatTcp(server: net.Server): string {
  const bound = server.address();
  if (bound === null || typeof bound === "string") return "tcp://";
  return `tcp://${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

function closeServer(server: net.Server, after?: () => void): void {
  server.close();
  after?.();
}

/** Descriptors from 3 on that the service manager passed to this process. Source: sd_listen_fds(3). */
export function activatedDescriptors(wanted: number | undefined, environment: NodeJS.ProcessEnv = process.env): number[] {
  const count = Number(environment["LISTEN_PID"]) === process.pid ? Number(environment["LISTEN_FDS"]) : 0;
  if (!Number.isInteger(count) || count < 1)
    throw new EngineError("invalid", "no sockets found via socket activation: make sure the service was started by systemd");
  const descriptors = Array.from({ length: Math.min(count, 64) }, (_, index) => 3 + index);
  if (wanted === undefined) return descriptors;
  if (!descriptors.includes(wanted)) throw new EngineError("invalid", "too few socket activated files passed in by systemd");
  return [wanted];
}
