import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { getCACertificates, rootCertificates } from "node:tls";
import { EngineError } from "#lib/errors.ts";

/** Ours, then Docker's, where an administrator may have put them long ago. */
export const defaultCertificateFolders: readonly string[] = ["/etc/gantry/certs.d", "/etc/docker/certs.d"];

/** What certificates of one registry's folder mean for a connection to it. */
export interface HostCertificates {
  /** Authorities to trust; absent: those that everybody trusts. */
  readonly ca?: readonly string[];
  readonly cert?: string;
  readonly key?: string;
}

/**
 * The certificates for a registry: `ca.crt` and other `*.crt` are authorities beside the usual ones, `client.cert` with `client.key` says who
 * we are. The first of the folders that has one for the host counts; of several client certificates the first by name.
 * @param host  `host` or `host:port`
 * @throws {EngineError} `internal` with Docker's texts for one half of a pair
 * Source: Docker, "Verify repository client with certificates".
 */
export async function readHostCertificates(host: string, folders: readonly string[]): Promise<HostCertificates> {
  if (!/^[\w[]/.test(host) || host.includes("/")) return {}; // the target of a redirect is somebody else's word
  for (const folder of folders) {
    const path = join(folder, host);
    const names = await filesOf(path);
    if (names) return readFolder(path, names);
  }
  return {};
}

async function filesOf(folder: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new EngineError("internal", `open ${folder}: permission denied`, { cause: error });
  }
}

async function readFolder(folder: string, names: readonly string[]): Promise<HostCertificates> {
  const read = (name: string): Promise<string> => readFile(join(folder, name), "utf8");
  const authorities = await Promise.all(names.filter((name) => name.endsWith(".crt")).map(read));
  const pair = clientPair(folder, names);
  return {
    ...(authorities.length > 0 && { ca: [...rootCertificates, ...getCACertificates("system"), ...authorities] }),
    ...(pair && { cert: await read(pair.cert), key: await read(pair.key) }),
  };
}

function clientPair(folder: string, names: readonly string[]): { readonly cert: string; readonly key: string } | undefined {
  for (const name of names) {
    if (name.endsWith(".cert") && !names.includes(`${name.slice(0, -5)}.key`))
      throw new EngineError(
        "internal",
        `missing key ${name.slice(0, -5)}.key for client certificate ${name}. CA certificates must use the extension .crt`,
      );
    if (name.endsWith(".key") && !names.includes(`${name.slice(0, -4)}.cert`))
      throw new EngineError("internal", `missing client certificate ${name.slice(0, -4)}.cert for key ${join(folder, name)}`);
  }
  const cert = names.find((name) => name.endsWith(".cert"));
  return cert === undefined ? undefined : { cert, key: `${cert.slice(0, -5)}.key` };
}
