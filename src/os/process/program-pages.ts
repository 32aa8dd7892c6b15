import { readFileSync, readlinkSync } from "node:fs";
import { check, libc } from "../libc.ts";

const MADV_DONTNEED = 4;

/**
 * Gives back the pages of this program's file that are mapped and not needed now: they stay in the page cache, where the kernel may take
 * them, and come back by a fault when they are used again. Parts that were written to (relocations) are left alone.
 * Source: madvise(2), proc_pid_smaps(5).
 */
export function releaseProgramPages(): void {
  const program = readlinkSync("/proc/self/exe");
  for (const { address, sizeBytes } of unwrittenMappings(readFileSync("/proc/self/smaps", "utf8"), program))
    check(libc.madvise(address, sizeBytes, MADV_DONTNEED), "give back pages of the program");
}

/** Mappings of the program's file that nobody can write to and nobody has written to. */
export function unwrittenMappings(smaps: string, program: string): { readonly address: number; readonly sizeBytes: number }[] {
  const mappings = smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return mappings.flatMap((mapping) => {
    const head = /^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ \d+\s+(.*)$/m.exec(mapping);
    const isWritten = !/^Anonymous:\s+0 kB$/m.test(mapping) || !/^Private_Dirty:\s+0 kB$/m.test(mapping);
    if (!head || head[3] !== program || isWritten) return [];
    const [address, end] = [Number.parseInt(head[1] ?? "", 16), Number.parseInt(head[2] ?? "", 16)];
    return [{ address, sizeBytes: end - address }];
  });
}
