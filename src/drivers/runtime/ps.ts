import { EngineError } from "#lib/errors.ts";
import { childEnvironment } from "#os/process/self.ts";

/**
 * The output of the host's ps, for `top`: about these processes where the arguments go with `-q`, as most do, else about more. Source: ps(1).
 * @param words  its arguments, as the user gave them
 * @throws {EngineError} `internal` with ps's own complaint
 */
export async function listHostProcesses(words: readonly string[], pids: readonly number[]): Promise<string> {
  const some = await ps([...words, `-q${pids.join(",")}`]);
  const { text, complaint, code } = some.code === 0 ? some : await ps(words);
  if (code !== 0) throw new EngineError("internal", `ps: ${complaint.trim().split("\n")[0] || `exit status ${code}`}`);
  return text;
}

async function ps(words: readonly string[]): Promise<{ readonly text: string; readonly complaint: string; readonly code: number }> {
  const child = Bun.spawn(["ps", ...words], { stdin: "ignore", stdout: "pipe", stderr: "pipe", env: childEnvironment() });
  const [text, complaint, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { text, complaint, code };
}
