import { SystemError } from "../libc.ts";
import {
  attribute,
  decodeAttributes,
  nested,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REQUEST,
  uint32BigEndian,
  zeroTerminated,
  type NetlinkRequest,
} from "../netlink/message.ts";
import { NetlinkSocket } from "../netlink/socket.ts";
import { encodeElements, type SetElement } from "./element.ts";

/// nfnetlink of nf_tables. Source: linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h.
const NETLINK_NETFILTER = 12;
const NFNL_SUBSYS_NFTABLES = 10;
const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_GETTABLE = 1;
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NFT_MSG_GETRULE = 7;
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_DELSETELEM = 14;
const NFT_MSG_GETGEN = 16;
const NFTA_TABLE_NAME = 1;
const NFTA_CHAIN_TABLE = 1;
const NFTA_CHAIN_NAME = 3;
const NFTA_CHAIN_HOOK = 4;
const NFTA_CHAIN_TYPE = 7;
const NFTA_HOOK_HOOKNUM = 1;
const NFTA_HOOK_PRIORITY = 2;
const NFTA_RULE_TABLE = 1;
const NFTA_RULE_CHAIN = 2;
const NFTA_RULE_EXPRESSIONS = 4;
const NFTA_GEN_ID = 1;

/** Address families of tables. */
export const tableFamily = { inet: 1, ip: 2, ip6: 10 } as const;
export type TableFamily = keyof typeof tableFamily;

export interface Table {
  readonly family: TableFamily;
  readonly name: string;
}

/** One step of a transaction. Adding an element that is there with the same value is a success; deleting one that is not there fails with ENOENT. */
export interface ElementChange {
  readonly operation: "add" | "delete";
  readonly set: string;
  readonly elements: readonly SetElement[];
}

/** A table of one base chain whose rules are lists of expressions. */
export interface NatTable extends Table {
  readonly chain: {
    readonly name: string;
    readonly hook: number;
    readonly priority: number;
    readonly rules: readonly (readonly Buffer[])[];
  };
}

/** nf_tables of the network namespace in which the socket was made. All calls are synchronous. */
export class NftablesSocket implements Disposable {
  readonly #socket = new NetlinkSocket(NETLINK_NETFILTER);

  /** All changes or none. @throws {SystemError} of the first that failed, ENOENT when table, set or element is missing */
  changeElements(table: Table, changes: readonly ElementChange[]): void {
    const requests = changes.filter((change) => change.elements.length > 0).map((change) => elementRequest(table, change));
    if (requests.length > 0) this.#transaction(requests);
  }

  /** Makes the table; with `replace` anew, whatever it was, in the same transaction. */
  makeNatTable(table: NatTable, replace: boolean): void {
    const { chain } = table;
    const name = attribute(NFTA_TABLE_NAME, zeroTerminated(table.name));
    const rules = chain.rules.map((expressions) => {
      const place = [attribute(NFTA_RULE_TABLE, zeroTerminated(table.name)), attribute(NFTA_RULE_CHAIN, zeroTerminated(chain.name))];
      return request(table.family, NFT_MSG_NEWRULE, NLM_F_CREATE | 0x800, [...place, nested(NFTA_RULE_EXPRESSIONS, ...expressions)]);
    });
    const make = request(table.family, NFT_MSG_NEWTABLE, NLM_F_CREATE, [name]);
    this.#transaction([...(replace ? [make, request(table.family, NFT_MSG_DELTABLE, 0, [name])] : []), make, natChain(table), ...rules]);
  }

  /** Makes a table that nobody has, and takes it away in the same transaction. @throws {SystemError} when the kernel has nothing to make it of */
  tryNatTable(table: NatTable): void {
    const name = attribute(NFTA_TABLE_NAME, zeroTerminated(table.name));
    this.#transaction([
      request(table.family, NFT_MSG_NEWTABLE, NLM_F_CREATE, [name]),
      natChain(table),
      request(table.family, NFT_MSG_DELTABLE, 0, [name]),
    ]);
  }

  /** Success when it is gone already. */
  removeTable(table: Table): void {
    try {
      this.#transaction([request(table.family, NFT_MSG_DELTABLE, 0, [attribute(NFTA_TABLE_NAME, zeroTerminated(table.name))])]);
    } catch (error) {
      if (!(error instanceof SystemError && error.code === "ENOENT")) throw error;
    }
  }

  tableExists(table: Table): boolean {
    try {
      const { type, parts } = request(table.family, NFT_MSG_GETTABLE, 0, [attribute(NFTA_TABLE_NAME, zeroTerminated(table.name))]);
      this.#socket.get({ what: `find table ${table.name}`, type, flags: 0, parts });
      return true;
    } catch (error) {
      if (error instanceof SystemError && error.code === "ENOENT") return false;
      throw error;
    }
  }

  /** Number of rules in the table: a flushed table is there and has none. */
  ruleCount(table: Table): number {
    const { what, type, parts } = request(table.family, NFT_MSG_GETRULE, 0, [attribute(NFTA_RULE_TABLE, zeroTerminated(table.name))]);
    const messages = this.#socket.dump({ what, type, flags: 0, parts });
    return messages.filter(
      (message) => decodeAttributes(message.payload.subarray(4)).get(NFTA_RULE_TABLE)?.toString() === `${table.name}\0`,
    ).length;
  }

  /** Grows with every change of the rule set, whoever makes it: equal numbers mean that nothing has changed. */
  generation(): number {
    const { type, parts } = request("inet", NFT_MSG_GETGEN, 0, []);
    const answer = this.#socket.get({ what: "read rule set generation", type, flags: 0, parts });
    return decodeAttributes(answer.payload.subarray(4)).get(NFTA_GEN_ID)?.readUInt32BE(0) ?? 0;
  }

  /** May wait for 12 ms or more, see `closeInBackground`. */
  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
  }

  /**
   * The kernel lets the close of such a socket wait until everything that transactions have deleted is torn down: so it happens on another
   * thread. Never inside a window into another namespace.
   */
  closeInBackground(): void {
    this.#socket.closeInBackground();
  }

  #transaction(requests: readonly NetlinkRequest[]): void {
    const mark = (type: number): NetlinkRequest => ({
      what: "nftables transaction",
      type,
      flags: NLM_F_REQUEST,
      parts: [Buffer.of(0, 0, 0, NFNL_SUBSYS_NFTABLES)],
    });
    this.#socket.transaction(mark(NFNL_MSG_BATCH_BEGIN), requests, mark(NFNL_MSG_BATCH_END));
  }
}

function natChain({ family, name, chain }: NatTable): NetlinkRequest {
  const hook = nested(
    NFTA_CHAIN_HOOK,
    attribute(NFTA_HOOK_HOOKNUM, uint32BigEndian(chain.hook)),
    attribute(NFTA_HOOK_PRIORITY, uint32BigEndian(chain.priority)),
  );
  return request(family, NFT_MSG_NEWCHAIN, NLM_F_CREATE, [
    attribute(NFTA_CHAIN_TABLE, zeroTerminated(name)),
    attribute(NFTA_CHAIN_NAME, zeroTerminated(chain.name)),
    hook,
    attribute(NFTA_CHAIN_TYPE, zeroTerminated("nat")),
  ]);
}

function elementRequest(table: Table, change: ElementChange): NetlinkRequest {
  const type = change.operation === "add" ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
  const body = encodeElements(table.name, change.set, change.elements);
  return {
    ...request(table.family, type, change.operation === "add" ? NLM_F_CREATE : 0, [body]),
    what: `${change.operation} elements of ${change.set}`,
  };
}

function request(family: TableFamily, message: number, flags: number, parts: readonly Buffer[]): NetlinkRequest {
  return {
    what: "nftables request",
    type: (NFNL_SUBSYS_NFTABLES << 8) | message,
    flags: flags | NLM_F_REQUEST | NLM_F_ACK,
    parts: [Buffer.of(tableFamily[family], 0, 0, 0), ...parts],
  };
}
