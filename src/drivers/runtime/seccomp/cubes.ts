/** Numbers of 32 bits that agree with `value` where `mask` has ones: what libseccomp's SCMP_CMP_MASKED_EQ can tell. */
export interface Cube {
  readonly mask: number;
  readonly value: number;
}

const bits = 32;

/** One number, by its lower 32 bits. */
export function cubeOf(value: number): Cube {
  return { mask: 0xffffffff, value: value >>> 0 };
}

/** All numbers but these: no two of the cubes have one in common, and a few values make some dozens of them. */
export function cubesWithout(values: readonly number[]): readonly Cube[] {
  const lower = [...new Set(values.map((value) => value >>> 0))];
  return split(lower, { mask: 0, value: 0 }, 0);
}

/** @param within  a cube with its first `depth` bits told, which holds all of the values */
function split(values: readonly number[], within: Cube, depth: number): Cube[] {
  if (values.length === 0) return [within];
  if (depth === bits) return [];
  const bit = 2 ** (bits - 1 - depth);
  const hasBit = (value: number): boolean => Math.floor(value / bit) % 2 === 1;
  const mask = within.mask + bit;
  const zeros = values.filter((value) => !hasBit(value));
  const ones = values.filter(hasBit);
  return [...split(zeros, { mask, value: within.value }, depth + 1), ...split(ones, { mask, value: within.value + bit }, depth + 1)];
}

/** What two cubes have in common; undefined: nothing. */
export function intersect(one: Cube, other: Cube): Cube | undefined {
  const shared = one.mask & other.mask;
  if ((one.value & shared) !== (other.value & shared)) return undefined;
  return { mask: (one.mask | other.mask) >>> 0, value: (one.value | other.value) >>> 0 };
}
