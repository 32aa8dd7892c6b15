import { expect, test } from "bun:test";
import fc from "fast-check";
import { withSearchTree } from "./search-tree.ts";

const [X86_64, I386] = [0xc000003e, 0x40000003];
const [ALLOW, ERRNO, KILL, TRACE] = [0x7fff0000, 0x00050001, 0x80000000, 0x7ff00026];

type Step = readonly [code: number, jt: number, jf: number, k: number];

function assemble(steps: readonly Step[]): Buffer {
  const program = Buffer.alloc(steps.length * 8);
  for (const [index, [code, jt, jf, k]] of steps.entries()) {
    program.writeUInt16LE(code, index * 8);
    program.writeUInt8(jt, index * 8 + 2);
    program.writeUInt8(jf, index * 8 + 3);
    program.writeUInt32LE(k, index * 8 + 4);
  }
  return program;
}

interface Call {
  readonly arch: number;
  readonly number: number;
  readonly argument: number;
}

/** What the kernel does with a filter. @returns its answer, and after how many instructions */
function answerOf(program: Buffer, { arch, number, argument }: Call): { readonly answer: number; readonly steps: number } {
  let value = 0;
  for (let at = 0, steps = 1; ; steps++) {
    const [code, jt, jf, k] = [
      program.readUInt16LE(at * 8),
      program.readUInt8(at * 8 + 2),
      program.readUInt8(at * 8 + 3),
      program.readUInt32LE(at * 8 + 4),
    ];
    const branch = (taken: boolean): number => at + 1 + (taken ? jt : jf);
    if (code === 0x06) return { answer: k, steps };
    if (code === 0x20) value = k === 0 ? number : k === 4 ? arch : k === 16 ? argument : 0;
    else if (code === 0x54) value = (value & k) >>> 0;
    if (code === 0x20 || code === 0x54) at++;
    else if (code === 0x05) at += 1 + k;
    else if (code === 0x15) at = branch(value === k);
    else if (code === 0x25) at = branch(value > k);
    else if (code === 0x35) at = branch(value >= k);
    else if (code === 0x45) at = branch((value & k) !== 0);
    else throw new Error(`instruction ${code}`);
  }
}

interface Rule {
  readonly number: number;
  readonly answer: number;
  /** Only with this argument. */
  readonly argument: number | undefined;
}

/** One number after the other, as libseccomp writes it. */
function linear(rules: readonly Rule[], otherwise: number): Step[] {
  return [
    [0x20, 0, 0, 0],
    ...rules.flatMap(({ number, answer, argument }): Step[] =>
      argument === undefined
        ? [
            [0x15, 0, 1, number],
            [0x06, 0, 0, answer],
          ]
        : [
            [0x15, 0, 4, number],
            [0x20, 0, 0, 16],
            [0x15, 0, 1, argument],
            [0x06, 0, 0, answer],
            [0x06, 0, 0, otherwise],
          ],
    ),
    [0x06, 0, 0, otherwise],
  ];
}

function filter(native: readonly Rule[], compatible: readonly Rule[]): Buffer {
  const [first, second] = [linear(native, ERRNO), linear(compatible, KILL)];
  return assemble([
    [0x20, 0, 0, 4],
    [0x15, 1, 0, X86_64],
    [0x05, 0, 0, first.length + 3], // past what is for the native architecture
    [0x20, 0, 0, 0],
    [0x35, 0, 1, 0x40000000],
    [0x06, 0, 0, KILL],
    ...first,
    [0x15, 1, 0, I386],
    [0x06, 0, 0, KILL],
    ...second,
  ]);
}

const rules = fc.uniqueArray(
  fc.record<Rule>({
    number: fc.integer({ min: 0, max: 470 }),
    answer: fc.constantFrom(ALLOW, TRACE, KILL),
    argument: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  }),
  { selector: ({ number }) => number, maxLength: 300 },
);

test("a filter with its tree answers every system call as the filter alone", () => {
  fc.assert(
    fc.property(rules, rules, (native, compatible) => {
      const program = filter(native, compatible);
      const tree = withSearchTree(program);
      expect(tree.subarray(tree.length - program.length).equals(program)).toBe(true);
      for (const arch of [X86_64, I386, 0xc00000b7]) {
        for (const number of [...Array(480).keys(), 4095, 4096, 0x3fffffff, 0x40000000, 0x40000001, 0xffffffff]) {
          for (const argument of [0, 1, 3, 7]) {
            const call = { arch, number, argument };
            if (answerOf(tree, call).answer !== answerOf(program, call).answer) throw new Error(JSON.stringify(call));
          }
        }
      }
    }),
    { numRuns: 20 },
  );
});

test("an allowed system call is answered in a few steps", () => {
  const all = Array.from({ length: 400 }, (_, index): Rule => ({
    number: index,
    answer: index % 7 === 0 ? ERRNO : ALLOW,
    argument: undefined,
  }));
  const program = filter(all, []);
  const call = { arch: X86_64, number: 399, argument: 0 };
  expect(answerOf(program, call).steps).toBeGreaterThan(400);
  expect(answerOf(withSearchTree(program), call).steps).toBeLessThan(15);
});

test.each([
  ["empty", Buffer.alloc(0)],
  ["cut", Buffer.alloc(12)],
  [
    "of another form",
    assemble([
      [0x20, 0, 0, 4],
      [0x15, 0, 1, X86_64],
      [0x07, 0, 0, 0],
      [0x06, 0, 0, ALLOW],
    ]),
  ],
  [
    "without an end",
    assemble([
      [0x20, 0, 0, 4],
      [0x15, 0, 0, X86_64],
    ]),
  ],
  [
    "too long",
    assemble([[0x20, 0, 0, 4], [0x15, 0, 1, X86_64], ...Array.from({ length: 4093 }, (): Step => [0x54, 0, 0, 1]), [0x06, 0, 0, ALLOW]]),
  ],
])("a program %s stays as it is", (_what, program) => {
  expect(withSearchTree(program)).toBe(program);
});
