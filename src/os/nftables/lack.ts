import { constants } from "node:os";
import { SystemError } from "../libc.ts";
import { NftablesSocket, type NatTable } from "./nftables-socket.ts";

/** Of both address families at once, with translation: what a kernel has last. */
const probe: NatTable = {
  family: "inet",
  name: "gantry-probe",
  chain: { name: "probe", hook: 0, priority: -100, rules: [] },
};

/** How a kernel answers that has not the protocol, the family or the kind of chain. */
const { EPROTONOSUPPORT, EOPNOTSUPP, EAFNOSUPPORT, ENOENT } = constants.errno;
const refusals: readonly number[] = [EPROTONOSUPPORT, EOPNOTSUPP, EAFNOSUPPORT, ENOENT];

/**
 * What this kernel lacks of nftables, in its own words, tried by a table that is gone in the same transaction; undefined when nothing.
 * @throws {SystemError} for what may pass: want of rights or memory
 */
export function nftablesLack(): string | undefined {
  try {
    const socket = new NftablesSocket();
    try {
      socket.tryNatTable(probe);
    } finally {
      socket.closeInBackground();
    }
    return undefined;
  } catch (error) {
    if (error instanceof SystemError && refusals.includes(error.errno)) return error.message;
    throw error;
  }
}
