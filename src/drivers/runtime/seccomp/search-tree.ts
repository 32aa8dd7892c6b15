/// Source: seccomp(2), "Filters"; linux/bpf_common.h, linux/audit.h.
const instructionBytes = 8;
/** BPF_MAXINSNS */
const maximumInstructions = 4096;
const maximumShortJump = 255;

const LOAD_WORD = 0x20;
const RETURN = 0x06;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_OR_EQUAL = 0x35;
const JUMP_SET = 0x45;
const AND = 0x54;

/** Offsets in `struct seccomp_data`. */
const numberOffset = 0;
const archOffset = 4;

/** AUDIT_ARCH_X86_64, I386, AARCH64, ARM */
const architectures = [0xc000003e, 0x40000003, 0xc00000b7, 0x40000028];
/** Above it are the numbers of the x32 interface. */
const lastNumber = 0x3fffffff;

interface Instruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** What a program does for one system call: an answer, or the place where it begins to look at the arguments. */
type Outcome = { readonly answer: number } | { readonly at: number };

/**
 * A compiled filter with a binary search for the number of the system call before it. libseccomp asks for one number after the other, and
 * the kernel runs a filter once for each number there is when it takes it: 0.5 ms of each container's start. The filter itself follows
 * unchanged, for what the search does not know and for what depends on arguments.
 * @returns the program as it was when it has a form that is not known here, or has no room
 */
export function withSearchTree(program: Buffer): Buffer {
  const instructions = decode(program);
  if (!instructions) return program;
  const trees: Instruction[] = [];
  for (const architecture of architectures.filter((candidate) =>
    instructions.some(({ code, k }) => code === JUMP_EQUAL && k === candidate),
  )) {
    const runs = runsOf(instructions, architecture);
    if (!runs) return program;
    const tree = [instruction(LOAD_WORD, numberOffset), ...searchFor(runs)];
    trees.push(instruction(LOAD_WORD, archOffset), instruction(JUMP_EQUAL, architecture, 1, 0), instruction(JUMP, tree.length), ...tree);
  }
  const all = [
    ...trees.map((one, index) => (isAbsolute(one) ? instruction(JUMP, trees.length + one.k - absolute - index - 1) : one)),
    ...instructions,
  ];
  return all.length > maximumInstructions ? program : encode(all);
}

/** System calls that follow each other and have one outcome, by the first of them. */
interface Run {
  readonly first: number;
  readonly outcome: Outcome;
}

function runsOf(program: readonly Instruction[], architecture: number): Run[] | undefined {
  const numbers = program.filter(({ code, k }) => code !== RETURN && code !== LOAD_WORD && k <= lastNumber).map(({ k }) => k);
  const end = Math.min(Math.max(0, ...numbers.filter((k) => k < 4096)) + 2, 4096);
  const runs: Run[] = [];
  for (let number = 0; number < end; number++) {
    const outcome = outcomeOf(program, architecture, number);
    if (!outcome) return undefined;
    const last = runs.at(-1);
    if (!last || !isSame(last.outcome, outcome)) runs.push({ first: number, outcome });
  }
  runs.push({ first: end, outcome: { at: 0 } });
  return runs;
}

/** Runs the program for one system call, as far as its arguments have no part in it. Undefined: it does something else. */
function outcomeOf(program: readonly Instruction[], architecture: number, number: number): Outcome | undefined {
  let value = 0;
  let at = 0;
  for (let now = program[0]; now; now = program[at]) {
    const { code, k } = now;
    if (code === RETURN) return { answer: k };
    if (code === LOAD_WORD && k !== numberOffset && k !== archOffset) return { at };
    at++;
    if (code === LOAD_WORD) value = k === numberOffset ? number : architecture;
    else if (code === AND) value = (value & k) >>> 0;
    else if (code === JUMP) at += k;
    else if (code === JUMP_EQUAL) at += value === k ? now.jt : now.jf;
    else if (code === JUMP_GREATER) at += value > k ? now.jt : now.jf;
    else if (code === JUMP_GREATER_OR_EQUAL) at += value >= k ? now.jt : now.jf;
    else if (code === JUMP_SET) at += (value & k) !== 0 ? now.jt : now.jf;
    else return undefined;
  }
  return undefined;
}

function isSame(one: Outcome, other: Outcome): boolean {
  return "answer" in one ? "answer" in other && one.answer === other.answer : "at" in other && one.at === other.at;
}

function searchFor(runs: readonly Run[]): Instruction[] {
  const [only] = runs;
  if (only && runs.length === 1) {
    const { outcome } = only;
    return ["answer" in outcome ? instruction(RETURN, outcome.answer) : instruction(JUMP, absolute + outcome.at)];
  }
  const middle = runs.length >> 1;
  const below = searchFor(runs.slice(0, middle));
  const above = searchFor(runs.slice(middle));
  const first = runs[middle]?.first ?? 0;
  const isNear = below.length <= maximumShortJump;
  const step = isNear
    ? [instruction(JUMP_GREATER_OR_EQUAL, first, below.length, 0)]
    : [instruction(JUMP_GREATER_OR_EQUAL, first, 0, 1), instruction(JUMP, below.length)];
  return [...step, ...below, ...above];
}

/** Jumps to a place in the filter are told by it until the length of all that comes before is known. */
const absolute = 0x8000_0000;

function isAbsolute({ code, k }: Instruction): boolean {
  return code === JUMP && k >= absolute;
}

function instruction(code: number, k: number, jt = 0, jf = 0): Instruction {
  return { code, jt, jf, k };
}

function decode(program: Buffer): Instruction[] | undefined {
  if (program.length === 0 || program.length % instructionBytes !== 0) return undefined;
  return Array.from({ length: program.length / instructionBytes }, (_, index) => {
    const at = index * instructionBytes;
    return {
      code: program.readUInt16LE(at),
      jt: program.readUInt8(at + 2),
      jf: program.readUInt8(at + 3),
      k: program.readUInt32LE(at + 4),
    };
  });
}

function encode(instructions: readonly Instruction[]): Buffer {
  const program = Buffer.alloc(instructions.length * instructionBytes);
  instructions.forEach(({ code, jt, jf, k }, index) => {
    const at = index * instructionBytes;
    program.writeUInt16LE(code, at);
    program.writeUInt8(jt, at + 2);
    program.writeUInt8(jf, at + 3);
    program.writeUInt32LE(k, at + 4);
  });
  return program;
}
