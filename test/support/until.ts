/** Waits for a condition, never for a time. @throws when it does not hold within the limit */
export async function until(condition: () => boolean | Promise<boolean>, limitMilliseconds = 15_000): Promise<void> {
  for (const end = performance.now() + limitMilliseconds; performance.now() < end; await Bun.sleep(20)) {
    if (await condition()) return;
  }
  throw new Error(`the condition did not hold within ${limitMilliseconds} ms: ${condition.toString()}`);
}
