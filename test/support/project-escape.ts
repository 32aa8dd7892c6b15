import { writeFileSync } from "node:fs";
import { arm64Code } from "./project-escape-arm64.ts";

/** How a program asks to be let out of its project. */
export interface EscapeRequest {
  /** Of ioctl, to read what is then written back. */
  readonly get: bigint;
  readonly set: bigint;
  /** What stays of the first word of the answer, and of the fourth. */
  readonly keep: readonly [number, number];
  /** As a program of 64 bits, or by the door of 32-bit ones. */
  readonly door: "syscall" | "int 0x80";
}

const FS_IOC_FSGETXATTR = 0x801c581fn;
const FS_IOC_FSSETXATTR = 0x401c5820n;
const FS_IOC_GETFLAGS = 0x80086601n;
const FS_IOC_SETFLAGS = 0x40086602n;
const FS_IOC32_SETFLAGS = 0x40046602n;
const everything = 0xffffffff;
const withoutInheriting = everything - 0x20000000;
const upperBits = 0xabcdn << 32n;

const project = { get: FS_IOC_FSGETXATTR, keep: [everything, 0] } as const;
const flags = { get: FS_IOC_GETFLAGS, keep: [withoutInheriting, everything] } as const;

/** Every way out of a project that the kernel knows for the owner of a folder. */
export const escapes: Readonly<Record<string, EscapeRequest>> = {
  "the project's number": { ...project, set: FS_IOC_FSSETXATTR, door: "syscall" },
  "the project's number with more bits": { ...project, set: FS_IOC_FSSETXATTR | upperBits, door: "syscall" },
  "the flag of the folder": { ...flags, set: FS_IOC_SETFLAGS, door: "syscall" },
  "the flag of the folder with more bits": { ...flags, set: FS_IOC_SETFLAGS | upperBits, door: "syscall" },
};

/** The same for kernels that run 32-bit programs, by a door that those of arm64 have not in programs of 64 bits. */
export const narrowEscapes: Readonly<Record<string, EscapeRequest>> =
  process.arch === "arm64"
    ? {}
    : {
        "the project's number, by a 32-bit program": { ...project, set: FS_IOC_FSSETXATTR, door: "int 0x80" },
        "the flag of the folder, by a 32-bit program": { ...flags, set: FS_IOC32_SETFLAGS, door: "int 0x80" },
      };

/** Writes back what it has read: what nobody has a reason to refuse. */
export const harmless: EscapeRequest = { get: FS_IOC_FSGETXATTR, set: FS_IOC_FSGETXATTR, keep: [everything, everything], door: "syscall" };

// Where the parts lie in the program's only segment.
const base = 0x400000;
const codeAt = 0x78;
const dataAt = 0x140;
const address = {
  dot: base + dataAt,
  get: base + dataAt + 0x08,
  set: base + dataAt + 0x10,
  first: base + dataAt + 0x18,
  fourth: base + dataAt + 0x1c,
  answer: base + dataAt + 0x20,
};
const sizeBytes = dataAt + 0x60;

/** A program for this processor without libraries, which tries it on the folder it is started in and ends with the errno, or 0. */
export function writeEscape(path: string, request: EscapeRequest): void {
  const program = Buffer.alloc(sizeBytes);
  writeHeader(program);
  (process.arch === "arm64" ? arm64Code(address) : code(request)).copy(program, codeAt);
  program.write(".\0", dataAt);
  program.writeBigUInt64LE(request.get, dataAt + 0x08);
  program.writeBigUInt64LE(request.set, dataAt + 0x10);
  program.writeUInt32LE(request.keep[0], dataAt + 0x18);
  program.writeUInt32LE(request.keep[1], dataAt + 0x1c);
  writeFileSync(path, program, { mode: 0o755 });
}

/** ELF of 64 bits with one segment that is all of the file. Source: elf(5). */
function writeHeader(program: Buffer): void {
  program.write("7f454c46020101", 0, "hex");
  for (const [at, value] of [
    [16, 2], // an executable
    [18, process.arch === "arm64" ? 183 : 62], // of arm64, of x86-64
    [52, 64], // bytes of this header
    [54, 56], // bytes of a segment's
    [56, 1], // segments
  ] as const)
    program.writeUInt16LE(value, at);
  program.writeUInt32LE(1, 20);
  program.writeBigUInt64LE(BigInt(base + codeAt), 24);
  program.writeBigUInt64LE(64n, 32);
  program.writeUInt32LE(1, 64); // loaded
  program.writeUInt32LE(7, 68); // to be read, written and run
  program.writeBigUInt64LE(BigInt(base), 80);
  program.writeBigUInt64LE(BigInt(base), 88);
  program.writeBigUInt64LE(BigInt(sizeBytes), 96);
  program.writeBigUInt64LE(BigInt(sizeBytes), 104);
  program.writeBigUInt64LE(0x1000n, 112);
}

function code({ door }: EscapeRequest): Buffer {
  const set = door === "syscall" ? [ioctl(address.set)] : ["b836000000", "8b0c25", word(address.set), "ba", word(address.answer), "cd80"]; // eax=54 ecx=[set] edx=&answer; int 0x80
  const change = [
    ...["8b0425", word(address.first), "210425", word(address.answer)], // eax=[first]; [answer] &= eax
    ...["8b0425", word(address.fourth), "210425", word(address.answer + 12)],
    ...set,
  ].join("");
  const text = [
    ...["b802000000", "bf", word(address.dot), "be00000100", "31d2", "0f05"], // open(".", O_RDONLY | O_DIRECTORY)
    "89c3", // ebx = it
    ioctl(address.get),
    ...["85c0", "78", (change.length / 2).toString(16).padStart(2, "0")], // test eax; js past the change
    change,
    ...["f7d8", "89c7", "b83c000000", "0f05"], // exit(-eax)
  ].join("");
  return Buffer.from(text, "hex");
}

/** ioctl(ebx, [request], &answer) */
function ioctl(request: number): string {
  return ["b810000000", "89df", "488b3425", word(request), "ba", word(address.answer), "0f05"].join("");
}

function word(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes.toString("hex");
}
