/** Where the parts of the program's data lie. */
export interface DataAddresses {
  readonly dot: number;
  readonly get: number;
  readonly set: number;
  /** Two words, one after the other. */
  readonly first: number;
  readonly answer: number;
}

const SYS_ioctl = 29;
const SYS_openat = 56;
const SYS_exit = 93;
const O_DIRECTORY = 0x4000;
const descriptor = 19;
const supervisorCall = 0xd4000001;

/** The same steps as on x86-64. Source: Arm Architecture Reference Manual, "A64 Base Instruction Descriptions". */
export function arm64Code(address: DataAddresses): Buffer {
  const change = [
    ...load(20, address.first),
    ...load(21, address.answer),
    ...keep(0, 0), // answer[0] &= first
    ...keep(4, 12), // answer[3] &= fourth
    ...ioctl(address.set, address.answer),
  ];
  const instructions = [
    ...[0x92800000 | (99 << 5), ...load(1, address.dot), move(2, O_DIRECTORY), move(3, 0), move(8, SYS_openat), supervisorCall],
    copy(descriptor, 0),
    ...ioctl(address.get, address.answer),
    0xb7f80000 | ((change.length + 1) << 5), // tbnz x0, #63, past the change
    ...change,
    ...[0xcb0003e0, move(8, SYS_exit), supervisorCall], // neg x0, x0
  ];
  return Buffer.from(Uint32Array.from(instructions, (one) => one >>> 0).buffer);
}

/** ioctl(descriptor, [request], &answer) */
function ioctl(request: number, answer: number): number[] {
  return [
    copy(0, descriptor),
    ...load(20, request),
    0xf9400281 /* ldr x1, [x20] */,
    ...load(2, answer),
    move(8, SYS_ioctl),
    supervisorCall,
  ];
}

/** w9 = [x20 + mask]; w10 = [x21 + word] & w9; [x21 + word] = w10 */
function keep(mask: number, word: number): number[] {
  return [0xb9400289 | ((mask / 4) << 10), 0xb94002aa | ((word / 4) << 10), 0x0a09014a, 0xb90002aa | ((word / 4) << 10)];
}

/** movz */
const move = (register: number, value: number): number => 0xd2800000 | (value << 5) | register;
/** movz, movk */
const load = (register: number, value: number): number[] => [move(register, value & 0xffff), 0xf2a00000 | ((value >>> 16) << 5) | register];
/** mov */
const copy = (to: number, from: number): number => 0xaa0003e0 | (from << 16) | to;
