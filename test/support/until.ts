/** How many times as long as elsewhere everything may take: on a machine whose processor is emulated. */
export const patience = Number(process.env["GANTRY_TEST_PATIENCE"] ?? 1);

/** Waits for a condition, never for a time. @throws when it does not hold within the limit */
export async function until(condition: () => boolean | Promise<boolean>, milliseconds = 15_000): Promise<void> {
  const limitMilliseconds = milliseconds * patience;
  for (const end = performance.now() + limitMilliseconds; performance.now() < end; await Bun.sleep(20)) {
    if (await condition()) return;
  }
  throw new Error(`the condition did not hold within ${limitMilliseconds} ms: ${condition.toString()}`);
}
