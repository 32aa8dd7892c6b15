import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrapImage } from "../../../src/helper/bootstrap/bootstrap.ts";
import { messageOf } from "../../../src/lib/errors.ts";
import { expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { makeKey, repositoryLack, serveRepository, type AptRepository } from "./apt-repository.ts";

const main = join(import.meta.dir, "../../../src/main.ts");
const folder = mkdtempSync(join(tmpdir(), "gantry-ubuntu-test-"));
const packages = join(folder, "packages");
const lack = repositoryLack() ?? (await debianLack());
if (lack !== undefined) console.log(`skipped: ${lack}`);
afterAll(() => rmSync(folder, { recursive: true }));

/** The repository is made of what a small Debian consists of, which is fetched once: with the cache of packages. */
async function debianLack(): Promise<string | undefined> {
  try {
    await bootstrapImage("debian:bookworm", { output: "/dev/null", variant: "apt", include: ["adduser"], packageCache: packages });
    return undefined;
  } catch (error) {
    return messageOf(error).split("\n")[0];
  }
}

describe.skipIf(lack !== undefined)("IMG-41: gantry image bootstrap ubuntu:noble, from a repository with a key of its own", () => {
  let daemon: TestDaemon;
  let repository: AptRepository;
  beforeAll(async () => {
    mkdirSync(join(folder, "repository"));
    repository = serveRepository(join(folder, "repository"), "noble", packages);
    daemon = await startDaemon();
  }, 60_000);
  afterAll(async () => {
    repository[Symbol.dispose]();
    await daemon[Symbol.asyncDispose]();
  });

  const gantry = async (...args: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }> => {
    const child = Bun.spawn([process.execPath, main, "-H", daemon.host, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
    return { stdout, stderr, code };
  };
  const makeNoble = (keyring: string, ...more: readonly string[]) =>
    gantry("image", "bootstrap", "-q", "--mirror", repository.url, "--keyring", keyring, ...more, "ubuntu:noble");
  const inspect = async (format: string): Promise<string> =>
    (await gantry("image", "inspect", "--format", format, "ubuntu:noble")).stdout.trim();

  test("makes an image of the variant, the packages and the time that are asked for, twice the same, the second time from the cache", async () => {
    const cache = join(folder, "cache");
    const wanted = ["--variant=apt", "--include=adduser", "--timestamp=1600000000", "--cache", cache];
    expect(await makeNoble(repository.keyring, ...wanted)).toEqual({ stdout: "Loaded image: ubuntu:noble\n", stderr: "", code: 0 });
    const id = await inspect("{{.Id}}");
    expect(repository.takeFetched()).toBe(readdirSync(cache).length);
    expect(await inspect("{{.Created}} {{json .Config.Cmd}}")).toBe('2020-09-13T12:26:40Z ["/bin/bash"]');
    const script =
      "dpkg-query -W -f '${Package}\\n' adduser apt; stat -c %Y /bin/bash; cat /etc/apt/sources.list; find /var/cache/apt -type f";
    expect((await gantry("run", "--rm", "ubuntu:noble", "bash", "-c", script)).stdout).toBe(
      `adduser\napt\n1600000000\ndeb ${repository.url} noble main\n`,
    );
    expect((await makeNoble(repository.keyring, ...wanted)).code).toBe(0);
    expect([await inspect("{{.Id}}"), repository.takeFetched()]).toEqual([id, 0]);
  }, 180_000);

  test("another key is refused, with what to do", async () => {
    const { stdout, stderr, code } = await makeNoble(makeKey(folder, "stranger"));
    expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
    const keys = join(folder, "stranger.gpg");
    expect(stderr).toBe(`the packages of ${repository.url} are not signed by a key of ${keys}: give the right ones with --keyring FILE\n`);
  }, 60_000);

  test.each([
    [["--keyring", "/nonexistent", "ubuntu:noble"], 'invalid keyring "/nonexistent": there is no such file'],
    [["--variant", "huge", "ubuntu:noble"], 'invalid variant "huge": use one of essential, apt, minbase'],
    [["--include", "a;b", "ubuntu:noble"], 'invalid package "a;b": a name like ca-certificates is expected'],
    [["--mirror", "x y", "ubuntu:noble"], 'invalid mirror "x y": a URL is expected'],
    [["--components", "../x", "debian:sid"], 'invalid component "../x": a name like main or universe is expected'],
    [["--timestamp", "now", "debian:sid"], 'invalid timestamp "now": seconds since 1970 are expected'],
    [["--mirror", "http://x", "busybox"], "busybox is made of this host's own package: it has no options"],
  ])("%p is refused", async (args, message) => {
    expect(await gantry("image", "bootstrap", ...args)).toEqual({ stdout: "", stderr: `${message}\n`, code: 1 });
  });

  test("leaves records and host in agreement", () => expectClean(daemon));
});
