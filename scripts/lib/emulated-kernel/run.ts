/** Runs a program to its end; one that fails ends this process with what it has said. */
export async function run(command: string[], cwd: string): Promise<void> {
  const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "ignore", stderr: "pipe", env: { ...process.env, PATH: path } });
  const [errors, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (code !== 0) fail(`${command.join(" ")} has failed:\n${errors}`);
}

export function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
