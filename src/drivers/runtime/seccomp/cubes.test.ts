import { expect, test } from "bun:test";
import fc from "fast-check";
import { cubeOf, cubesWithout, intersect, type Cube } from "./cubes.ts";

const word = fc.integer({ min: 0, max: 0xffffffff });
const holds = ({ mask, value }: Cube, number: number): boolean => (number & mask) >>> 0 === value;

test("cubes hold every number once, but for those that are left out", () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), fc.array(word, { maxLength: 20 }), (values, others) => {
      const cubes = cubesWithout(values);
      const near = values.flatMap((value) => Array.from({ length: 32 }, (_, bit) => (value ^ (1 << bit)) >>> 0));
      for (const number of [...values, ...others, ...near])
        expect(cubes.filter((cube) => holds(cube, number))).toHaveLength(values.includes(number) ? 0 : 1);
    }),
    { numRuns: 50 },
  );
});

test("all numbers are one cube, all but one are one for each bit", () => {
  expect(cubesWithout([])).toEqual([{ mask: 0, value: 0 }]);
  expect(cubesWithout([0x401c5820])).toHaveLength(32);
  expect(cubesWithout([2 ** 32 + 7])).toEqual(cubesWithout([7]));
});

test("what two cubes have in common is in both", () => {
  fc.assert(
    fc.property(word, word, word, word, word, (mask, value, otherMask, otherValue, number) => {
      const one = { mask, value: (value & mask) >>> 0 };
      const other = { mask: otherMask, value: (otherValue & otherMask) >>> 0 };
      const both = intersect(one, other);
      for (const candidate of [number, one.value | other.value, one.value, other.value].map((wanted) => wanted >>> 0))
        expect(both !== undefined && holds(both, candidate)).toBe(holds(one, candidate) && holds(other, candidate));
    }),
  );
  expect(intersect(cubeOf(1), cubeOf(2))).toBeUndefined();
});
