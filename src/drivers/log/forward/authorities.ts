import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";

/** Authorities of the host: those of a file that SSL_CERT_FILE names, as for every program in Go, or else the host's own. */
export function hostAuthorities(): string[] {
  const file = process.env["SSL_CERT_FILE"];
  return file ? [readFileSync(file, "utf8")] : getCACertificates("system");
}
