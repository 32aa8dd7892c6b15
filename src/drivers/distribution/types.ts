import type { Digest } from "#lib/digest.ts";
import type { ProxySettings } from "./proxy.ts";

/** What an API client gave for a registry. Never written to a log, a record or an error. Source: Engine API, "AuthConfig". */
export interface RegistryCredentials {
  readonly username?: string;
  readonly password?: string;
  /** Refresh token of an OAuth2 log-in, instead of a password. */
  readonly identityToken?: string;
  /** Bearer token that is sent as it is. */
  readonly registryToken?: string;
}

/** The daemon's settings for registries (`insecure-registries`, `registry-mirrors`, `mirrors`, `proxies`). */
export interface RegistrySettings {
  /** Hosts (`host`, `host:port`) and networks (CIDR) that may be spoken to without TLS. Loopback always may. */
  readonly insecureRegistries?: readonly string[];
  /** Base URLs of mirrors of docker.io, tried first and in order. */
  readonly mirrors?: readonly string[];
  /** Base URLs of mirrors by registry (`ghcr.io`, `host:port`); those of `*` are for every registry that has none of its own. */
  readonly mirrorsByRegistry?: Readonly<Record<string, readonly string[]>>;
  /** Where certificates of registries lie: `FOLDER/HOST[:PORT]/{*.crt,*.cert,*.key}`. */
  readonly certificateFolders?: readonly string[];
  /** The way out to registries; none when absent, whatever the environment says. */
  readonly proxies?: ProxySettings;
}

/** One place where a repository may be found. */
export interface RegistryEndpoint {
  /** Scheme, host and port without a path, e.g. `https://registry-1.docker.io`. */
  readonly origin: string;
  /** False where the certificate is not checked: insecure registries only. */
  readonly verifiesCertificate: boolean;
  /** A mirror gets no credentials, and any failure there leads to the next endpoint. */
  readonly isMirror: boolean;
  /** Name of the registry that a mirror of several stands for: the parameter `ns` of its requests. */
  readonly namespace?: string;
}

/** A manifest or index as the registry has it: bytes whose digest has been checked. */
export interface FetchedManifest {
  readonly digest: Digest;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** What names a manifest in a repository: a tag or a digest. */
export type ManifestName = string;
