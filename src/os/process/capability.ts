import { check, libc } from "../libc.ts";

// Source: capget(2), linux/capability.h.
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
/** Effective, permitted and inheritable, for the lower 32 capabilities and for those above. */
const setsBytes = 24;
export const CAP_SYS_RESOURCE = 24;

/** This thread gives up a capability, below 32, for good; success when it has it not. What it starts as root has it again, but for "no new privileges". */
export function dropCapability(capability: number): void {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(LINUX_CAPABILITY_VERSION_3, 0);
  const sets = Buffer.alloc(setsBytes);
  check(libc.capget(header, sets), "read capabilities");
  for (const offset of [0, 4, 8]) sets.writeUInt32LE((sets.readUInt32LE(offset) & ~(1 << capability)) >>> 0, offset);
  check(libc.capset(header, sets), "give up a capability");
}
