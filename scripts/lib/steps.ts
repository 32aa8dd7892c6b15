/** Runs commands one after the other, prints what failed and how long each took; ends the process with 1 on a failure. */
export async function runSteps(steps: readonly (readonly [name: string, command: readonly string[]])[]): Promise<void> {
  let failed = false;
  for (const [name, command] of steps) {
    const started = performance.now();
    const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [out, error, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${code === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
    if (code !== 0) {
      failed = true;
      process.stdout.write(out + error);
    }
  }
  if (failed) process.exit(1);
}
