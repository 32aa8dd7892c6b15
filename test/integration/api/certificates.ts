import { afterAll } from "bun:test";
import { TestCertificates } from "../../support/certificates.ts";
import { scratchFolder } from "../../support/scratch-folder.ts";

/** Two authorities, a certificate for the engine by the first, and one for a client by each. @returns the path of a file by its name */
export function makeCertificates(): (name: string) => string {
  const made = new TestCertificates(scratchFolder("certificates", afterAll));
  for (const name of ["ours", "theirs"]) made.authority(name);
  made.issue({ by: "ours", name: "engine", extensions: "subjectAltName=IP:127.0.0.1,DNS:engine.example\nextendedKeyUsage=serverAuth" });
  made.issue({ by: "ours", name: "alice", extensions: "extendedKeyUsage=clientAuth" });
  made.issue({ by: "theirs", name: "mallory", extensions: "extendedKeyUsage=clientAuth" });
  return (name) => made.path(name);
}
