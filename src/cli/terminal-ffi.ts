import { dlopen } from "bun:ffi";

// Only this file makes system calls for the client, and it is loaded only where a terminal is concerned.
const { symbols: libc } = dlopen("libc.so.6", {
  isatty: { args: ["i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  tcgetattr: { args: ["i32", "ptr"], returns: "i32" },
  tcsetattr: { args: ["i32", "i32", "ptr"], returns: "i32" },
  cfmakeraw: { args: ["ptr"], returns: "void" },
});

/** `struct termios` has 60 bytes on Linux; room to spare. */
const termiosBytes = 128;
const TIOCGWINSZ = 0x5413;
const TCSADRAIN = 1;
/** Word of the local flags in `struct termios`, after those of input, output and control. */
const localFlags = 3;
const ECHO = 0o10;

export function isTerminal(descriptor: number): boolean {
  return libc.isatty(descriptor) === 1;
}

/** Undefined when the descriptor is no terminal or the terminal does not know its size. */
export function windowSize(descriptor: number): { readonly rows: number; readonly columns: number } | undefined {
  const size = new Uint16Array(4); // rows, columns, and two in pixels
  if (libc.ioctl(descriptor, TIOCGWINSZ, size) !== 0) return undefined;
  const [rows = 0, columns = 0] = size;
  return columns > 0 ? { rows, columns } : undefined;
}

/**
 * Hands every key on as a byte and every byte on as it is. (setRawMode of Node leaves the translation of line ends on.)
 * @returns a function that puts the settings back, as often as it is called; undefined when the descriptor is no terminal
 */
export function makeRaw(descriptor: number): (() => void) | undefined {
  const saved = new Uint8Array(termiosBytes);
  if (libc.tcgetattr(descriptor, saved) !== 0) return undefined;
  const raw = new Uint8Array(saved);
  libc.cfmakeraw(raw);
  libc.tcsetattr(descriptor, TCSADRAIN, raw);
  return () => void libc.tcsetattr(descriptor, TCSADRAIN, saved);
}

/**
 * Types on, unseen: lines are still edited and handed on as a whole, the terminal does not show them.
 * @returns a function that puts the settings back; undefined when the descriptor is no terminal
 */
export function hideInput(descriptor: number): (() => void) | undefined {
  const saved = new Uint8Array(termiosBytes);
  if (libc.tcgetattr(descriptor, saved) !== 0) return undefined;
  const hidden = new Uint32Array(saved.slice().buffer);
  hidden[localFlags] = (hidden[localFlags] ?? 0) & ~ECHO;
  libc.tcsetattr(descriptor, TCSADRAIN, hidden);
  return () => void libc.tcsetattr(descriptor, TCSADRAIN, saved);
}
