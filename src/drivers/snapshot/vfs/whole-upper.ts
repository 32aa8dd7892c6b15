import { existsSync } from "node:fs";

/**
 * A container's own tree is either what it has changed of its layers, for overlayfs, or, when the driver is vfs, a copy of all files. Which one
 * it is stays as it is for the container's life, whatever the driver of a later daemon: a file beside it tells.
 */
export function isWholeUpper(upper: string): boolean {
  return existsSync(wholeMark(upper)) && existsSync(upper);
}

export function wholeMark(upper: string): string {
  return `${upper}.whole`;
}

/** Of the paths at which copies are made. */
export function partialPrefix(upper: string): string {
  return `${upper}.partial-`;
}
