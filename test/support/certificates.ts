import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Authorities and what they sign, as `NAME.pem` with `NAME.key` in a folder, made by openssl; good for two days. */
export class TestCertificates {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  path(file: string): string {
    return join(this.#folder, file);
  }

  authority(name: string): void {
    openssl("req", "-x509", ...this.#newKey(name), "-days", "2", "-out", this.path(`${name}.pem`));
  }

  /** @param extensions  as in an openssl configuration: `extendedKeyUsage=clientAuth` */
  issue({ by, name, extensions }: { readonly by: string; readonly name: string; readonly extensions: string }): void {
    const [request, extensionFile] = [this.path(`${name}.csr`), this.path(`${name}.ext`)];
    writeFileSync(extensionFile, extensions);
    openssl("req", ...this.#newKey(name), "-out", request);
    const signer = ["-CA", this.path(`${by}.pem`), "-CAkey", this.path(`${by}.key`), "-CAcreateserial"];
    openssl("x509", "-req", "-days", "2", "-in", request, ...signer, "-extfile", extensionFile, "-out", this.path(`${name}.pem`));
  }

  #newKey(name: string): string[] {
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${name}`, "-keyout", this.path(`${name}.key`)];
  }
}

function openssl(...parameters: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...parameters], { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(stderr.toString());
}
