// Written by scripts/generate-engine-api.ts; do not edit.

/** A value of a Go `map[string]struct{}`: only its key says something. */
export type EmptyObject = object;
