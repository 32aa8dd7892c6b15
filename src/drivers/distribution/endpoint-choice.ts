import { EngineError } from "#lib/errors.ts";
import { ConnectionFailure } from "./failure.ts";
import type { RegistryTransport } from "./transport.ts";

/** The endpoints of one repository for the time of one operation: tried in order, and the one that answered comes first from then on. */
export class EndpointChoice {
  #transports: readonly RegistryTransport[];
  readonly #told: (error: unknown) => unknown;
  #answered: RegistryTransport | undefined;

  /** @param told  what a failure is to whoever asked */
  constructor(transports: readonly RegistryTransport[], told: (error: unknown) => unknown) {
    this.#transports = transports;
    this.#told = told;
  }

  /**
   * Runs an operation on the first endpoint where it succeeds. Any failure of a mirror leads on; of the registry itself only that nobody
   * speaks TLS there, as long as it has not answered.
   */
  async run<T>(signal: AbortSignal, operation: (transport: RegistryTransport) => Promise<T>): Promise<T> {
    let failure: unknown = new EngineError("internal", "no endpoint");
    for (const transport of this.#transports) {
      try {
        const result = await operation(transport);
        this.#answered = transport;
        // Mirrors may lack the next blob: the others stay behind it.
        this.#transports = [transport, ...this.#transports.filter((other) => other !== transport)];
        return result;
      } catch (error) {
        signal.throwIfAborted();
        failure = error;
        if (transport.endpoint.isMirror) continue;
        if (transport === this.#answered || !(error instanceof ConnectionFailure)) break;
      }
    }
    throw this.#told(failure);
  }
}
