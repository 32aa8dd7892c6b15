import type { LinkedFlow } from "./firewall-elements.ts";

interface Admitted {
  readonly networkId: string;
  readonly source: string;
  readonly target: string;
  readonly flow: LinkedFlow;
}

/** What linked containers may send each other on networks that keep containers apart. Each flow is there once, however often it is asked for. */
export class LinkedFlows {
  readonly #admitted = new Map<string, Admitted>();

  all(): LinkedFlow[] {
    return [...this.#admitted.values()].map(({ flow }) => flow);
  }

  /** @returns those that are new */
  add(wanted: readonly Admitted[]): LinkedFlow[] {
    return wanted.flatMap((admitted) => {
      const { source, target, protocol, port } = admitted.flow;
      const key = `${source} ${target} ${protocol} ${port}`;
      if (this.#admitted.has(key)) return [];
      this.#admitted.set(key, admitted);
      return [admitted.flow];
    });
  }

  /** Forgets what `isOver` names. @returns it */
  take(isOver: (admitted: Admitted) => boolean): LinkedFlow[] {
    return [...this.#admitted].flatMap(([key, admitted]) => {
      if (!isOver(admitted)) return [];
      this.#admitted.delete(key);
      return [admitted.flow];
    });
  }
}
