import type { Client } from "#client/client.ts";

/** Not those that end or stop us in any case, and none that the runtime uses itself. */
const proxied: readonly NodeJS.Signals[] = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGTERM",
  "SIGCONT",
  "SIGTSTP",
  "SIGTTIN",
  "SIGTTOU",
  "SIGWINCH",
  "SIGIO",
  "SIGPWR",
];

/** This many requests to end, and we end without the container. */
const patience = 3;

/**
 * Hands every signal that reaches us on to a container, until disposed. To be called before the container can print anything: a user may
 * answer what is seen with Ctrl-C. A container that has not begun, or has just ended, misses it.
 */
export function proxySignals({ containers }: Client, id: string): Disposable {
  let endings = 0;
  const listeners = proxied.map((signal) => {
    const listener = (): void => {
      if ((signal === "SIGINT" || signal === "SIGTERM") && ++endings >= patience) process.exit(1);
      containers.kill(id, signal.slice(3)).catch(() => {});
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return { [Symbol.dispose]: () => listeners.forEach(({ signal, listener }) => process.off(signal, listener)) };
}
