import { EngineError } from "#lib/errors.ts";

/** Package of Debian and Ubuntu that has a program. */
const packages: Readonly<Record<string, string>> = { "apt-get": "apt", "dpkg-deb": "dpkg", mmdebstrap: "mmdebstrap" };

/**
 * Runs a program of the distribution to its end; its output goes to stderr, so that the image can go to stdout.
 * @throws {EngineError} `unavailable` saying what to install, or with the program's last words
 */
export async function run(
  command: readonly string[],
  options: { readonly folder: string; readonly epochSeconds?: number; readonly quiet?: boolean },
): Promise<string> {
  const [program = ""] = command;
  const path = findProgram(program);
  const child = Bun.spawn([path, ...command.slice(1)], {
    cwd: options.folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: searchPath(),
      HOME: "/root",
      LC_ALL: "C.UTF-8",
      DEBIAN_FRONTEND: "noninteractive",
      ...proxySettings(),
      ...(options.epochSeconds !== undefined && { SOURCE_DATE_EPOCH: String(options.epochSeconds) }),
    },
  });
  const [output, complaint, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new EngineError("unavailable", `${program} failed: ${lastLines(complaint || output)}`);
  return output;
}

/** @throws {EngineError} `unavailable` with the command that installs it */
export function findProgram(name: string): string {
  const path = Bun.which(name, { PATH: searchPath() });
  if (path === null)
    throw new EngineError(
      "unavailable",
      `${name} was not found: 'apt-get install ${packages[name] ?? name}' on Debian or Ubuntu; other distributions are not supported here`,
    );
  return path;
}

const searchPath = (): string => `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/bin:/sbin:/bin`;

/** apt reaches its mirror as it does in the user's shell. */
function proxySettings(): Record<string, string> {
  const names = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}

const lastLines = (text: string): string => text.trim().split("\n").slice(-8).join("\n");
