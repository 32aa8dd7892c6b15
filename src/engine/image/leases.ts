/**
 * What running pulls and loads rely on: layers (by chain id) and blobs (by digest) that no image names yet, or that an image names which may
 * be removed meanwhile. Lives in memory: after a restart nothing runs.
 */
export class ImageLeases {
  readonly #held = new Map<string, number>();
  /** Names whose removal was put off because they were held. */
  readonly #unwanted = new Set<string>();

  open(): ImageLease {
    return new ImageLease(this.#held, this.#unwanted);
  }

  isHeld(name: string): boolean {
    return this.#held.has(name);
  }

  /** True when `name` must stay; it is then looked at again when the last lease on it ends. */
  postpones(name: string): boolean {
    if (!this.#held.has(name)) return false;
    this.#unwanted.add(name);
    return true;
  }
}

/** The names one operation relies on. */
export class ImageLease {
  readonly #held: Map<string, number>;
  readonly #unwanted: Set<string>;
  readonly #names = new Set<string>();
  readonly #made = new Set<string>();

  constructor(held: Map<string, number>, unwanted: Set<string>) {
    this.#held = held;
    this.#unwanted = unwanted;
  }

  /** From now on `name` is not removed. To be called before it is looked for. */
  hold(name: string): void {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
  }

  /** `name` has been put on disk by this operation: without an image it goes when the lease ends. */
  made(name: string): void {
    this.hold(name);
    this.#made.add(name);
  }

  /** Ends the lease. @returns names nobody holds any more which this operation made or somebody wanted removed, newest first */
  end(): string[] {
    const loose: string[] = [];
    for (const name of this.#names) {
      const holders = (this.#held.get(name) ?? 1) - 1;
      if (holders > 0) {
        this.#held.set(name, holders);
        if (this.#made.has(name)) this.#unwanted.add(name); // the last holder looks at it
        continue;
      }
      this.#held.delete(name);
      if (this.#unwanted.delete(name) || this.#made.has(name)) loose.push(name);
    }
    this.#names.clear();
    return loose.reverse();
  }
}
