import { EngineError } from "#lib/errors.ts";
import { childEnvironment } from "#os/process/self.ts";

/**
 * The output of the host's ps, for `top`. @throws {EngineError} `internal` with ps's own complaint
 * @param words  its arguments, as the user gave them
 */
export async function listHostProcesses(words: readonly string[]): Promise<string> {
  const child = Bun.spawn(["ps", ...words], { stdin: "ignore", stdout: "pipe", stderr: "pipe", env: childEnvironment() });
  const [text, complaint, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new EngineError("internal", `ps: ${complaint.trim().split("\n")[0] || `exit status ${code}`}`);
  return text;
}
