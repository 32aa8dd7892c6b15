import { cpSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const programs = ["gpg", "dpkg-scanpackages", "mmdebstrap"];

/** Why no repository can be made here; undefined where one can. */
export function repositoryLack(): string | undefined {
  const missing = programs.filter((name) => !Bun.which(name));
  return missing.length === 0 ? undefined : `this host has no ${missing.join(", ")}`;
}

export interface AptRepository extends Disposable {
  readonly url: string;
  /** File with the key that signs it. */
  readonly keyring: string;
  /** How many packages were fetched since the last time. */
  readonly takeFetched: () => number;
}

/** A repository with one suite, of packages that lie in a folder, signed with a key of its own. Source: Debian's wiki, "DebianRepository/Format". */
export function serveRepository(folder: string, suite: string, packages: string): AptRepository {
  const binaries = join("dists", suite, "main/binary-amd64");
  mkdirSync(join(folder, binaries), { recursive: true });
  mkdirSync(join(folder, "pool"));
  for (const name of readdirSync(packages).filter((one) => one.endsWith(".deb"))) cpSync(join(packages, name), join(folder, "pool", name));
  const list = run(["dpkg-scanpackages", "--multiversion", "pool"], folder);
  writeFileSync(join(folder, binaries, "Packages"), list);
  const sum = new Bun.CryptoHasher("sha256").update(list).digest("hex");
  const release = [
    ...[`Suite: ${suite}`, `Codename: ${suite}`, "Origin: Test", "Architectures: amd64", "Components: main"],
    ...[`Date: ${new Date().toUTCString()}`, "SHA256:", ` ${sum} ${Buffer.byteLength(list)} main/binary-amd64/Packages`, ""],
  ];
  writeFileSync(join(folder, "dists", suite, "Release"), release.join("\n"));
  const keyring = makeKey(folder, "signer");
  const signed = ["--clearsign", "--output", join(folder, "dists", suite, "InRelease"), join(folder, "dists", suite, "Release")];
  gpg(folder, "signer", ...signed);

  const fetched = new Set<string>(); // one may be asked for in pieces
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch({ url }) {
      const path = decodeURIComponent(new URL(url).pathname);
      const file = Bun.file(join(folder, path));
      if (path.includes("..") || !(await file.exists())) return new Response("", { status: 404 });
      if (path.startsWith("/pool/")) fetched.add(path);
      return new Response(file);
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/`,
    keyring,
    takeFetched() {
      const { size } = fetched;
      fetched.clear();
      return size;
    },
    [Symbol.dispose]: () => void server.stop(true),
  };
}

/** @returns the file with its public part */
export function makeKey(folder: string, name: string): string {
  mkdirSync(join(folder, name), { mode: 0o700 });
  gpg(folder, name, "--quick-generate-key", `${name}@localhost`, "rsa2048", "sign", "never");
  const file = join(folder, `${name}.gpg`);
  gpg(folder, name, "--output", file, "--export");
  // It would stay, and keep its folder.
  Bun.spawnSync(["gpgconf", "--homedir", join(folder, name), "--kill", "gpg-agent"], { stdio: ["ignore", "ignore", "ignore"] });
  return file;
}

function gpg(folder: string, name: string, ...args: readonly string[]): void {
  run(["gpg", "--homedir", join(folder, name), "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", ...args], folder);
}

function run(command: readonly string[], folder: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], { cwd: folder });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
  return stdout.toString();
}
