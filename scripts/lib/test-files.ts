/** What one run of `bun test` has found. */
export interface TestResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** All that was printed. */
  readonly output: string;
  readonly isGood: boolean;
}

/** Runs test files in one process of their own. @param options.names  a pattern for the names of the tests that are run; absent: all */
export async function runTestFiles(
  paths: readonly string[],
  options: { readonly timeoutMilliseconds: number; readonly names?: string },
): Promise<TestResult> {
  const { timeoutMilliseconds, names } = options;
  const selection = names === undefined ? [] : ["--test-name-pattern", names];
  const command = [process.execPath, "test", "--timeout", String(timeoutMilliseconds), ...selection, ...paths];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe", env: process.env });
  const [out, error, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  const output = `${out}${error}${child.signalCode === null ? "" : `\nended by ${child.signalCode}\n`}`;
  const count = (word: string): number => Number(new RegExp(`^\\s*(\\d+) ${word}$`, "m").exec(output)?.[1] ?? 0);
  const failed = count("fail");
  // A file that could not be loaded, or a run that tested nothing, is a failure too.
  return { output, isGood: code === 0, passed: count("pass"), skipped: count("skip"), failed: code !== 0 && failed === 0 ? 1 : failed };
}
