import { messageOf } from "#lib/errors.ts";
import type { Invocation } from "./command.ts";

/** Requests on their way at once when a command names many objects. */
const atOnce = 50;

/**
 * Does something for each name, at most fifty at once. What was done is printed in the order of the names; failures go to stderr and make the
 * exit code 1, and the others go on. @param body  returns what to print, if anything
 */
export async function forEachName(
  invocation: Pick<Invocation, "out" | "err">,
  names: readonly string[],
  body: (name: string) => Promise<string | void>,
): Promise<number> {
  const failures: string[] = [];
  for (let from = 0; from < names.length; from += atOnce) {
    const running = names.slice(from, from + atOnce).map(body);
    for (const result of running) result.catch(() => {}); // each is awaited below, in order
    for (const result of running) {
      try {
        const line = await result;
        if (line !== undefined) await invocation.out.line(line);
      } catch (error) {
        failures.push(messageOf(error));
      }
    }
  }
  return printFailures(invocation, failures);
}

/** @returns the exit code */
export async function printFailures({ err }: Pick<Invocation, "err">, failures: readonly string[]): Promise<number> {
  if (failures.length === 0) return 0;
  for (const failure of failures) await err.line(failure);
  return 1;
}
