import { describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// Docker's own client and ours, called as docker, say the same to the same daemon. Only what leaves nothing behind is asked.
const docker = Bun.which("docker");
const host = process.env["GANTRY_PEER_DOCKER_HOST"];
const folder = mkdtempSync(join(tmpdir(), "gantry-same-"));
const main = join(import.meta.dir, "../../src/main.ts");

/** Our client under the name of Docker's. */
function ourDocker(): string {
  const path = join(folder, "docker");
  writeFileSync(path, `#!/bin/bash\nexec -a docker "${process.execPath}" "${main}" "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

async function run(program: string, line: readonly string[]) {
  const env = { ...process.env, DOCKER_HOST: host ?? "", DOCKER_CONFIG: folder };
  const child = Bun.spawn([program, ...line], { stdin: "ignore", stdout: "pipe", stderr: "pipe", env });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { out, err, code };
}

const lines: readonly string[][] = [
  ["run"],
  ["run", "--foo"],
  ["run", "-p", "abc", "busybox"],
  ["run", "--pull", "foo", "busybox"],
  ["create", "--mount", "type=bind", "busybox"],
  ["exec", "nosuch", "ls"],
  ["stop", "nosuch1", "nosuch2"],
  ["rm", "nosuch"],
  ["rm", "-f", "nosuch"],
  ["kill", "nosuch"],
  ["start", "nosuch"],
  ["attach", "nosuch"],
  ["logs", "nosuch"],
  ["wait", "nosuch"],
  ["top", "nosuch"],
  ["port", "nosuch"],
  ["inspect", "nosuch"],
  ["inspect", "-f", "{{.Id", "nosuch"],
  ["rmi", "nosuch"],
  ["tag", "nosuch:x", "y"],
  ["volume", "rm", "nosuch"],
  ["volume", "inspect", "nosuch"],
  ["network", "rm", "nosuch"],
  ["network", "ls"],
  ["network", "ls", "--format", "json"],
  ["network", "inspect", "bridge"],
  ["network", "inspect", "-f", "{{range .IPAM.Config}}{{.Subnet}}{{end}} {{.Options}}", "bridge"],
  ["version", "-f", "{{.Server.Version}} {{.Server.APIVersion}}"],
  ["info", "-f", "{{.Driver}} {{.NCPU}} {{json .SecurityOptions}}"],
  ["events", "--until", "x"],
  ["ps", "-f", "foo"],
  ["ps", "--format", "{{.Foo}}"],
  ["nosuchcommandatall"],
  ["-H", "unix:///nosuch", "ps"],
  ["--context", "nosuch", "ps"],
];

describe.skipIf(docker === null || !host)(
  "our client says what Docker's says (skipped: docker or GANTRY_PEER_DOCKER_HOST is missing)",
  () => {
    const ours = docker === null || !host ? "" : ourDocker();
    for (const line of lines) {
      test(`docker ${line.join(" ")}`, async () => {
        expect(await run(ours, line)).toEqual(await run(docker ?? "", line));
      });
    }
  },
);
