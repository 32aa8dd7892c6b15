import { ExitError } from "./errors.ts";
import type { Invocation } from "./command.ts";

/**
 * Asks on the terminal, or reads the answer from stdin. Everything but `y` is no.
 * @throws {ExitError} 0 when stdin ends or says no, and when the user interrupts
 */
export async function confirm({ out }: Pick<Invocation, "out">, question: string): Promise<void> {
  await out.write(`${question} [y/N] `);
  const interrupted = Promise.withResolvers<string>();
  const interrupt = (): void => interrupted.resolve("\n");
  process.on("SIGINT", interrupt);
  try {
    const answer = await Promise.race([firstLine(), interrupted.promise]);
    if (answer === "\n") await out.write(answer); // the line of the question ends
    if (answer.trim().toLowerCase() !== "y") throw new ExitError(0);
  } finally {
    process.off("SIGINT", interrupt);
  }
}

async function firstLine(): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of Bun.stdin.stream()) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n") || text.length > 1024) break;
  }
  return text.split("\n", 1)[0] ?? "";
}
