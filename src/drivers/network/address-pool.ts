import { assert, EngineError } from "#lib/errors.ts";
import { addressNumber, containsAddress, lastAddress, numberAddress, parseCidr, type Cidr } from "./cidr.ts";
import type { Subnet } from "./types.ts";

/** The addresses of one subnet of one network. */
export class AddressPool {
  readonly subnet: Cidr;
  /** From here addresses are given out: the subnet or its `ipRange`. */
  readonly #range: Cidr;
  readonly #taken = new Set<bigint>();
  /** No free address of the range lies below. */
  #lowestFree: bigint;

  /** @throws {EngineError} `invalid` with Docker's texts when gateway or auxiliary addresses cannot be given to anybody */
  constructor(config: Subnet) {
    const subnet = parseCidr(config.subnet);
    const range = config.ipRange ? parseCidr(config.ipRange) : subnet;
    if (!subnet || !range) throw new EngineError("invalid", `invalid subnet ${config.subnet}`);
    this.subnet = subnet;
    this.#range = range;
    this.#lowestFree = range.base;
    this.#reserveEnds();
    if (config.gateway !== "" && !this.adopt(config.gateway))
      throw new EngineError("invalid", `failed to allocate gateway (${config.gateway}): Address already in use`);
    for (const [name, address] of Object.entries(config.auxiliary)) this.#reserveAuxiliary(name, address);
  }

  /** The lowest free address of the range; undefined when all are taken. */
  take(): string | undefined {
    const end = lastAddress(this.#range);
    for (let candidate = this.#lowestFree; candidate <= end; candidate++) {
      if (this.#taken.has(candidate)) continue;
      this.#taken.add(candidate);
      this.#lowestFree = candidate + 1n;
      return numberAddress(this.subnet.family, candidate);
    }
    this.#lowestFree = end + 1n;
    return undefined;
  }

  /** @throws {EngineError} `forbidden` when the address is taken */
  takeWanted(address: string): void {
    assert(containsAddress(this.subnet, address), "the caller has chosen the pool by its subnet");
    if (!this.adopt(address)) throw new EngineError("forbidden", "Address already in use");
  }

  /** Takes an address that a record says is in use; false when it was taken already. */
  adopt(address: string): boolean {
    const value = addressNumber(address);
    if (this.#taken.has(value)) return false;
    this.#taken.add(value);
    return true;
  }

  release(address: string): void {
    const value = addressNumber(address);
    if (this.#taken.delete(value) && value < this.#lowestFree && value >= this.#range.base) this.#lowestFree = value;
  }

  /** Network and broadcast address of IPv4, the anycast address of IPv6; blocks of one or two addresses have neither. */
  #reserveEnds(): void {
    const { family, prefixLength, base } = this.subnet;
    if (prefixLength >= (family === 4 ? 31 : 127)) return;
    this.#taken.add(base);
    if (family === 4) this.#taken.add(lastAddress(this.subnet));
  }

  #reserveAuxiliary(name: string, address: string): void {
    const free = containsAddress(this.subnet, address) && this.adopt(address);
    if (!free) throw new EngineError("invalid", `failed to allocate secondary ip address (${name}:${address}): Address already in use`);
  }
}
