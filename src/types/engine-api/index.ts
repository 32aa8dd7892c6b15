/**
 * The shapes of the Engine API, 1.56 with what 1.51 had besides, in the wire's spelling.
 *
 * Types are generated from the API's definition (`scripts/generate-engine-api.ts`), but for what it does not have. Lists, maps and objects that need not be there may
 * also be null: Go writes null for those that are not set. Enumerations are plain strings, as a daemon or client of another version may
 * send others. An integer of 64 bits is a `number`; beyond 2^53 the digits that were sent are kept beside it (`#lib/exact-integers.ts`).
 */
export type * from "./checkpoint.ts";
export type * from "./generated/index.ts";
