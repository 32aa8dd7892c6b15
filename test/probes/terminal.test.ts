import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { check, libc } from "#os/libc.ts";
import { until } from "./socket-folder.ts";

const TIOCGPTN = 0x80045430;
const TIOCSPTLCK = 0x40045431;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const O_NOCTTY = 0o400;
const OPOST = 1;
const ECHO = 8;

/** Both ends of a new pseudo terminal. Source: pts(4). */
function pseudoTerminal(): { control: number; terminal: number } {
  const control = openSync("/dev/ptmx", 2 | O_NOCTTY);
  const number = Buffer.alloc(4);
  check(libc.ioctl(control, TIOCGPTN, number), "number of the terminal");
  check(libc.ioctl(control, TIOCSPTLCK, Buffer.alloc(4)), "unlock the terminal");
  return { control, terminal: openSync(`/dev/pts/${number.readInt32LE(0)}`, 2 | O_NOCTTY) };
}

test("tcsetattr with cfmakeraw switches echo and output processing off, and what was read before restores it", () => {
  const { control, terminal } = pseudoTerminal();
  const before = Buffer.alloc(60); // struct termios of glibc
  const raw = Buffer.alloc(60);
  const after = Buffer.alloc(60);
  check(libc.tcgetattr(terminal, before), "tcgetattr");
  before.copy(raw);
  libc.cfmakeraw(raw);
  check(libc.tcsetattr(terminal, 0, raw), "tcsetattr");
  check(libc.tcgetattr(terminal, after), "tcgetattr");
  expect(before.readUInt32LE(4) & OPOST).toBe(OPOST);
  expect(after.readUInt32LE(4) & OPOST).toBe(0);
  expect(after.readUInt32LE(12) & ECHO).toBe(0);
  check(libc.tcsetattr(terminal, 0, before), "tcsetattr");
  check(libc.tcgetattr(terminal, after), "tcgetattr");
  expect(after).toEqual(before);
  closeSync(control);
  closeSync(terminal);
});

test("the size of a terminal is set and read", () => {
  const { control, terminal } = pseudoTerminal();
  check(libc.ioctl(control, TIOCSWINSZ, Buffer.from(new Uint16Array([31, 101, 0, 0]).buffer)), "set the size");
  const size = Buffer.alloc(8);
  check(libc.ioctl(terminal, TIOCGWINSZ, size), "get the size");
  expect([size.readUInt16LE(0), size.readUInt16LE(2)]).toEqual([31, 101]);
  expect(libc.isatty(terminal)).toBe(1);
  closeSync(control);
  closeSync(terminal);
});

test("a child with Bun.Terminal sees a terminal of the given size, and resizes", async () => {
  let output = "";
  const child = Bun.spawn(["/bin/sh", "-c", "stty size; read line; stty size"], {
    terminal: { cols: 91, rows: 17, data: (_terminal: unknown, chunk: Uint8Array) => void (output += Buffer.from(chunk).toString()) },
  });
  await until("first size", () => output.includes("17 91"));
  child.terminal?.resize(120, 40);
  child.terminal?.write("\n");
  await until("second size", () => output.includes("40 120"));
  await child.exited;
  child.terminal?.close();
});
