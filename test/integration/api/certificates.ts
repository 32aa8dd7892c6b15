import { afterAll } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { scratchFolder } from "../../support/scratch-folder.ts";

/** Two authorities, a certificate for the engine by the first, and one for a client by each. @returns the path of a file by its name */
export function makeCertificates(): (name: string) => string {
  const folder = scratchFolder("certificates", afterAll);
  const path = (name: string): string => join(folder, name);
  for (const name of ["ours", "theirs"]) makeAuthority(path, name);
  issue(path, { by: "ours", name: "engine", extensions: "subjectAltName=IP:127.0.0.1,DNS:engine.example\nextendedKeyUsage=serverAuth" });
  issue(path, { by: "ours", name: "alice", extensions: "extendedKeyUsage=clientAuth" });
  issue(path, { by: "theirs", name: "mallory", extensions: "extendedKeyUsage=clientAuth" });
  return path;
}

function makeAuthority(path: (name: string) => string, name: string): void {
  openssl("req", "-x509", ...newKey(path, name), "-days", "2", "-out", path(`${name}.pem`));
}

function issue(path: (name: string) => string, one: { readonly by: string; readonly name: string; readonly extensions: string }): void {
  const { by, name, extensions } = one;
  writeFileSync(path(`${name}.ext`), extensions);
  openssl("req", ...newKey(path, name), "-out", path(`${name}.csr`));
  const signer = ["-CA", path(`${by}.pem`), "-CAkey", path(`${by}.key`), "-CAcreateserial"];
  openssl(
    "x509",
    "-req",
    "-days",
    "2",
    "-in",
    path(`${name}.csr`),
    ...signer,
    "-extfile",
    path(`${name}.ext`),
    "-out",
    path(`${name}.pem`),
  );
}

function newKey(path: (name: string) => string, name: string): string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${name}`, "-keyout", path(`${name}.key`)];
}

function openssl(...parameters: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...parameters], { stdout: "ignore", stderr: "pipe" });
  if (exitCode !== 0) throw new Error(stderr.toString());
}
