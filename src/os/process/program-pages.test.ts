import { expect, test } from "bun:test";
import { unwrittenMappings } from "./program-pages.ts";

const mapping = (range: string, permissions: string, file: string, anonymous: number, dirty: number): string =>
  `${range} ${permissions} 00000000 fe:00 123                        ${file}
Size:                100 kB
Rss:                  80 kB
Private_Dirty:         ${dirty} kB
Anonymous:             ${anonymous} kB
VmFlags: rd mr mw me
`;

test("code and constants of the program are found, and nothing that was or may be written to", () => {
  const smaps = [
    mapping("00200000-00300000", "r--p", "/usr/bin/gantry", 0, 0),
    mapping("00300000-00400000", "r-xp", "/usr/bin/gantry", 0, 0),
    mapping("00400000-00500000", "r--p", "/usr/bin/gantry", 16, 16), // relocations
    mapping("00500000-00600000", "rw-p", "/usr/bin/gantry", 0, 0),
    mapping("7f0000000000-7f0000001000", "r-xp", "/usr/lib/libc.so.6", 0, 0),
    mapping("7f0000002000-7f0000003000", "rw-p", "", 0, 0),
  ].join("");
  expect(unwrittenMappings(smaps, "/usr/bin/gantry")).toEqual([
    { address: 0x200000, sizeBytes: 0x100000 },
    { address: 0x300000, sizeBytes: 0x100000 },
  ]);
});
