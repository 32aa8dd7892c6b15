import { machine } from "node:os";

/** What the kernel calls this machine, as in `uname -m`. Bun 1.4 says arm64 where uname(2) answers aarch64. */
export function machineName(told: string = machine()): string {
  return told === "arm64" ? "aarch64" : told;
}
