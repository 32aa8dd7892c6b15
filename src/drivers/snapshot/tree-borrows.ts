import { deferred, type Deferred } from "#lib/async.ts";

/** Who needs a merged tree beside the run of its container: copies and exports. */
export class TreeBorrows {
  readonly #borrowed = new Map<string, { count: number; readonly returned: Deferred<void> }>();
  /** Mounted for a borrower alone. Trees found at the start of the daemon belong to their containers. */
  readonly #ownerless = new Set<string>();

  count(target: string): number {
    return this.#borrowed.get(target)?.count ?? 0;
  }

  /** Nobody but borrowers keeps it mounted. */
  isBorrowedOnly(target: string): boolean {
    return this.#ownerless.has(target);
  }

  own(target: string): void {
    this.#ownerless.delete(target);
  }

  /** Its run is over, or it was mounted for a borrower. */
  disown(target: string): void {
    this.#ownerless.add(target);
    this.#forgetUnused(target);
  }

  add(target: string): void {
    const entry = this.#borrowed.get(target) ?? { count: 0, returned: deferred<void>() };
    entry.count++;
    this.#borrowed.set(target, entry);
  }

  remove(target: string): void {
    const entry = this.#borrowed.get(target);
    if (!entry || --entry.count > 0) return;
    this.#borrowed.delete(target);
    this.#forgetUnused(target);
    entry.returned.resolve();
  }

  /** Resolves when nobody borrows it. */
  async returned(target: string): Promise<void> {
    await this.#borrowed.get(target)?.returned.promise;
  }

  #forgetUnused(target: string): void {
    if (this.count(target) === 0) this.#ownerless.delete(target);
  }
}
