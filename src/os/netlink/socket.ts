import { close, closeSync } from "node:fs";
import { check, libc, SystemError } from "../libc.ts";
import {
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  textOf,
  type NetlinkMessage,
  type NetlinkRequest,
} from "./message.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;
const answerTimeoutSeconds = 5;

/** Dumps come in pieces of at most 32 KB. Used by one call at a time: all of them are synchronous. */
const receiveBuffer = Buffer.alloc(65536);

/**
 * A netlink socket of the network namespace in which it was made; it keeps talking to that namespace from anywhere. Every call is
 * synchronous: the kernel has the answer ready when `send` returns, so nothing here waits.
 */
export class NetlinkSocket implements Disposable {
  readonly #descriptor: number;
  #sequence = 0;

  constructor(protocol: number) {
    this.#descriptor = check(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol), "netlink socket");
    this.#option(SOL_NETLINK, NETLINK_CAP_ACK, int32(1));
    this.#option(SOL_NETLINK, NETLINK_EXT_ACK, int32(1));
    // A lost answer must end in an error instead of stopping the daemon for ever.
    const timeout = Buffer.alloc(16);
    timeout.writeBigInt64LE(BigInt(answerTimeoutSeconds), 0);
    this.#option(SOL_SOCKET, SO_RCVTIMEO, timeout);
  }

  /**
   * Sends the messages in one system call and reads an acknowledgement of each. The kernel carries out every message, also after one that
   * failed. @throws {SystemError} of the first that failed
   */
  request(requests: readonly NetlinkRequest[]): void {
    if (requests.length === 0) return;
    const first = this.#send(requests);
    let missing = requests.length;
    let failure: SystemError | undefined;
    while (missing > 0) {
      for (const message of this.#receive()) {
        const index = message.sequence - first;
        if (message.type !== NLMSG_ERROR || index < 0) continue; // an answer to an earlier call that timed out
        missing--;
        failure ??= errorOf(message, requests[index]?.what ?? "netlink");
      }
    }
    if (failure) throw failure;
  }

  /**
   * Sends messages between two marks that make them one transaction (nfnetlink). A refusal of the whole is answered to the first mark.
   * @throws {SystemError} of the first message that failed; then nothing of the transaction has happened
   */
  transaction(begin: NetlinkRequest, requests: readonly NetlinkRequest[], end: NetlinkRequest): void {
    const first = this.#send([begin, ...requests, end]);
    let missing = requests.length;
    let failure: SystemError | undefined;
    while (missing > 0) {
      for (const message of this.#receive()) {
        const index = message.sequence - first;
        if (message.type !== NLMSG_ERROR || index < 0) continue;
        const error = errorOf(message, requests[index - 1]?.what ?? begin.what);
        if (index === 0) missing = 0;
        else missing--;
        failure ??= error;
      }
    }
    if (failure) throw failure;
  }

  /** All messages of a dump (type and header of a GET message). */
  dump(request: NetlinkRequest): NetlinkMessage[] {
    const first = this.#send([{ ...request, flags: NLM_F_REQUEST | NLM_F_DUMP }]);
    const messages: NetlinkMessage[] = [];
    for (;;) {
      for (const message of this.#receive()) {
        if (message.sequence !== first) continue;
        if (message.type === NLMSG_DONE) return messages;
        if (message.type === NLMSG_ERROR) throw errorOf(message, request.what) ?? new SystemError(request.what, 0);
        messages.push(message);
      }
    }
  }

  /** The one answer to a GET message. @throws {SystemError} when the kernel refuses, for instance with ENODEV */
  get(request: NetlinkRequest): NetlinkMessage {
    const first = this.#send([{ ...request, flags: request.flags | NLM_F_REQUEST }]);
    for (;;) {
      for (const message of this.#receive()) {
        if (message.sequence !== first) continue;
        const error = message.type === NLMSG_ERROR ? errorOf(message, request.what) : undefined;
        if (error) throw error;
        return message;
      }
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  /** Closes on another thread. Never inside a window into another network namespace: the thread might be born there. */
  closeInBackground(): void {
    close(this.#descriptor, () => {}); // nobody is left to be told
  }

  #send(requests: readonly NetlinkRequest[]): number {
    const first = this.#sequence + 1;
    const bytes = Buffer.concat(requests.map((request) => encodeMessage(request, ++this.#sequence)));
    check(libc.send(this.#descriptor, bytes, bytes.length, 0), requests[0]?.what ?? "netlink");
    return first;
  }

  #receive(): NetlinkMessage[] {
    const length = check(libc.recv(this.#descriptor, receiveBuffer, receiveBuffer.length, 0), "netlink answer");
    return decodeMessages(receiveBuffer.subarray(0, length));
  }

  #option(level: number, name: number, value: Buffer): void {
    check(libc.setsockopt(this.#descriptor, level, name, value, value.length), "netlink socket option");
  }
}

/** The failure an acknowledgement carries, with the kernel's own words where it gives some; undefined for success. */
function errorOf(message: NetlinkMessage, what: string): SystemError | undefined {
  const code = message.payload.readInt32LE(0);
  if (code === 0) return undefined;
  const words = message.flags & NLM_F_ACK_TLVS ? textOf(decodeAttributes(message.payload.subarray(20)).get(NLMSGERR_ATTR_MSG)) : undefined;
  const error = new SystemError(what, -code);
  if (words) error.message += ` (${words})`;
  return error;
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32LE(value);
  return buffer;
}
