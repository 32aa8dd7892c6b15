import { EngineError, messageOf } from "#lib/errors.ts";

/** What dockerd finds only when the container is started is told with the words it uses then. */
export function initialize<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw initializationError(error);
  }
}

export function initializationError(error: unknown): EngineError {
  const kind = error instanceof EngineError ? error.kind : "invalid";
  return new EngineError(kind, `failed to initialize logging driver: ${messageOf(error)}`, { cause: error });
}
