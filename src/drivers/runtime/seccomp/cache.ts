import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import type { RuntimeSeccomp } from "#types/oci/runtime-spec.ts";
import { withSearchTree } from "./search-tree.ts";

/**
 * Compiled profiles. libseccomp needs 11 to 13 ms for the default profile at each create; crun leaves its program in the state folder and
 * takes it back as an annotation, with a search before it by then. Keyed by profile and runtime version, kept on disk behind its digest; losing it costs one slow start.
 */
export class SeccompCache {
  readonly #folder: string;
  readonly #runtimeVersion: string;
  readonly #programs = new Map<string, string>();

  constructor(folder: string, runtimeVersion: string) {
    this.#folder = folder;
    this.#runtimeVersion = runtimeVersion;
  }

  /** Loads what earlier daemons compiled, so that the first container is fast as well. */
  async load(): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    for await (const name of new Bun.Glob("*.bpf").scan(this.#folder)) {
      const program = programIn(await readFile(`${this.#folder}/${name}`));
      if (program) this.#programs.set(name.slice(0, -4), program.toString("base64"));
    }
  }

  key(profile: RuntimeSeccomp): string {
    const hash = new Bun.CryptoHasher("sha256");
    return hash.update(`tree 1\n${this.#runtimeVersion}\n${process.arch}\n${JSON.stringify(profile)}`).digest("hex");
  }

  /** The program in base64, as the annotation wants it. */
  get(key: string): string | undefined {
    return this.#programs.get(key);
  }

  /** Keeps the program that crun left at `path`. Never fails: a runtime that leaves none is slower, and so is the first start after a full disk. */
  async keep(key: string, path: string): Promise<void> {
    if (this.#programs.has(key)) return;
    let program: Buffer;
    try {
      program = withSearchTree(await readFile(path));
    } catch {
      return; // this runtime compiles by itself, each time
    }
    if (this.#programs.has(key)) return; // another start was faster
    this.#programs.set(key, program.toString("base64"));
    await this.#save(key, program);
  }

  async #save(key: string, program: Uint8Array): Promise<void> {
    const temporary = `${this.#folder}/${key}.tmp`;
    try {
      await writeFile(temporary, Buffer.concat([digestOf(program), program]), { mode: 0o600, flush: true });
      await rename(temporary, `${this.#folder}/${key}.bpf`);
    } catch {
      // A full disk: the container has been made and must start; the next daemon compiles anew.
      await rm(temporary, { force: true });
    }
  }
}

/** A damaged filter would keep every container from starting, or let through what it should not: undefined, and it is compiled again. */
function programIn(file: Buffer): Buffer | undefined {
  const program = file.subarray(digestBytes);
  return file.length > digestBytes && file.subarray(0, digestBytes).equals(digestOf(program)) ? program : undefined;
}

const digestBytes = 32;

function digestOf(program: Uint8Array): Buffer {
  return Buffer.from(new Bun.CryptoHasher("sha256").update(program).digest());
}
