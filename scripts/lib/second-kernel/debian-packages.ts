import { rmSync } from "node:fs";

/** Takes packages of the distribution apart, into a folder. @throws {Error} saying why they cannot be had */
export async function unpack(packages: readonly string[], work: string): Promise<void> {
  const download = ["apt-get", "download", "-qq", ...packages];
  if ((await run(download, work)).code !== 0) {
    await run(["apt-get", "update", "-qq"], work); // lists of packages may never have been fetched, or be old
    const { code, errors } = await run(download, work);
    if (code !== 0) throw new Error(`The packages could not be fetched:\n${errors}`);
  }
  for (const archive of new Bun.Glob("*.deb").scanSync({ cwd: work, absolute: true })) {
    const { code, errors } = await run(["dpkg-deb", "-x", archive, work], work);
    if (code !== 0) throw new Error(`${archive} could not be unpacked:\n${errors}`);
    rmSync(archive);
  }
}

/** Names of the packages that one needs; none when it is not known. */
export async function dependenciesOf(name: string): Promise<readonly string[]> {
  const { output } = await run(["apt-cache", "depends", "--important", name], "/");
  return [...output.matchAll(/^ *Depends: ([a-z0-9.+-]+)$/gm)].map(([, dependency = ""]) => dependency);
}

async function run(command: string[], cwd: string): Promise<{ readonly code: number; readonly output: string; readonly errors: string }> {
  const child = Bun.spawn(command, { cwd, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [output, errors, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { code, output, errors };
}
