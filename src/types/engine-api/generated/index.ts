// Written by scripts/generate-engine-api.ts; do not edit.

export type * from "./common.ts";
export type * from "./container.ts";
export type * from "./distribution.ts";
export type * from "./exec.ts";
export type * from "./image.ts";
export type * from "./network.ts";
export type * from "./plugin.ts";
export type * from "./swarm.ts";
export type * from "./system.ts";
export type * from "./volume.ts";
export type * from "./empty.ts";
