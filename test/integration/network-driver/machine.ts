import { mkdtempSync, rmSync } from "node:fs";
import { HostNetworkDriver } from "#drivers/network/driver.ts";
import type { EndpointRequest, NetworkConfig, PortRequest, SandboxState } from "#drivers/network/types.ts";
import { instanceOf, type Instance } from "#lib/instance.ts";
import { silentLogger } from "#lib/log.ts";
import { Kernel } from "#os/kernel.ts";

/** Runs a command and gives its output; what it complains about is no output. */
export async function run(...command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "ignore" });
  const output = await new Response(child.stdout).text();
  await child.exited;
  return output.trim();
}

/** Runs a command inside a network namespace. */
export const inside = (netnsPath: string, ...command: readonly string[]): Promise<string> =>
  run("nsenter", `--net=${netnsPath}`, ...command);

/** The network namespace of the test itself: the "host". */
export const host = "/proc/self/ns/net";

/** What a server at the address says, or "" when it cannot be reached. */
export async function fetchFrom(netnsPath: string, address: string, port: number): Promise<string> {
  return inside(netnsPath, "timeout", "1", "busybox", "nc", address, String(port));
}

/** What a server answers to one UDP packet, or "" when nothing comes. */
export async function askByUdp(netnsPath: string, address: string, port: number): Promise<string> {
  const program = `
    const socket = await Bun.udpSocket({ hostname: "${address.includes(":") ? "::" : "0.0.0.0"}", connect: { hostname: "${address}", port: ${port} }, socket: { data(s, d) { console.log(d.toString()); process.exit(); } } });
    socket.send("hi");`;
  return inside(netnsPath, "timeout", "1", process.execPath, "-e", program);
}

/** A process that answers every TCP connection and every UDP packet with `name` and the caller's address. */
export async function serve(netnsPath: string, name: string, port: number): Promise<AsyncDisposable> {
  const program = `
    for (const hostname of ["0.0.0.0", "::"]) try {
      Bun.listen({ hostname, port: ${port}, ipv6Only: hostname === "::", socket: { open(s) { s.end("${name} to " + s.remoteAddress) }, data() {} } });
    } catch {}
    await Bun.udpSocket({ hostname: "0.0.0.0", port: ${port}, socket: { data(s, d, port, address) { s.send("${name} by udp", port, address) } } });
    console.log("ready");`;
  const child = Bun.spawn(["nsenter", `--net=${netnsPath}`, process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
  await child.stdout.getReader().read();
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** One machine with the driver under test. */
export class Machine implements AsyncDisposable {
  readonly root = mkdtempSync("/tmp/gantry-network-");
  readonly instance: Instance = instanceOf("c0de", `${this.root}/data`, `${this.root}/run`);
  readonly kernel = new Kernel();
  driver = this.#newDriver();
  #ids = 0;

  network(name: string, subnet: string, options: Partial<NetworkConfig> = {}): NetworkConfig {
    const id = this.#id();
    return {
      id,
      name,
      driver: "bridge",
      bridge: `${this.instance.linkPrefix}b${id}`.slice(0, 15),
      subnets: [{ family: 4, subnet, gateway: subnet.replace(/\.0\/\d+$/, ".1"), auxiliary: {} }],
      internal: false,
      interContainer: true,
      masquerade: true,
      hostBinding: "",
      mtu: 1500,
      nameResolution: true,
      ...options,
    };
  }

  endpoint(network: NetworkConfig, ...dnsNames: readonly string[]): EndpointRequest {
    return { endpointId: this.#id(), networkId: network.id, dnsNames, linkLocal: [], gatewayPriority: 0 };
  }

  async sandbox(
    endpoints: readonly EndpointRequest[],
    ports: readonly PortRequest[] = [],
    upstream: readonly string[] = [],
  ): Promise<SandboxState> {
    const containerId = this.#id();
    await this.driver.createSandbox({ containerId, hostname: "test", endpoints, ports, resolver: { upstream }, sysctls: {} });
    return this.driver.joinSandbox(containerId);
  }

  /** A new driver that knows nothing, as after kill -9: the old one's sockets are gone, all else is left as it was. */
  async crash(): Promise<void> {
    await this.driver.close();
    this.driver = this.#newDriver();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.driver.purge();
    await this.driver.close();
    await this.kernel.close();
    rmSync(this.root, { recursive: true, force: true });
  }

  #newDriver(): HostNetworkDriver {
    return new HostNetworkDriver({ instance: this.instance, kernel: this.kernel, log: silentLogger });
  }

  #id(): string {
    return new Bun.CryptoHasher("sha256").update(`${this.root} ${++this.#ids}`).digest("hex");
  }
}

/** A published port. */
export function port(containerPort: number, hostPort: number, hostIp = "", protocol: PortRequest["protocol"] = "tcp"): PortRequest {
  return { protocol, containerPort, hostIp, hostPortFirst: hostPort, hostPortLast: hostPort };
}
