import { STATUS_CODES } from "node:http";
import { EngineError } from "#lib/errors.ts";
import { originEndpoints } from "./endpoints.ts";
import { ConnectionFailure, RegistryRefusal } from "./failure.ts";
import { RegistryTransport } from "./transport.ts";
import type { RegistryCredentials, RegistryEndpoint, RegistrySettings } from "./types.ts";

export interface LogInRequest {
  /** As clients name a registry: `host`, `host:port`, a URL, or empty for Docker Hub. */
  readonly server: string;
  readonly credentials: RegistryCredentials;
  readonly settings: RegistrySettings;
}

export interface LogInResult {
  /** Refresh token to use instead of the password; empty where the registry gives none. */
  readonly identityToken: string;
}

/**
 * Asks a registry whether credentials are good. One that lets everybody in says yes to all.
 * @throws {EngineError} `unauthorized` when its token server refuses them; `internal` with Docker's texts; `invalid` for a bad address
 */
export async function logIn({ server, credentials, settings }: LogInRequest, signal: AbortSignal): Promise<LogInResult> {
  let failure: unknown;
  for (const endpoint of originEndpoints(registryOf(server), settings)) {
    try {
      return await logInAt(endpoint, { credentials, settings }, signal);
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
      if (!(error instanceof ConnectionFailure)) break;
    }
  }
  throw failure instanceof ConnectionFailure ? new EngineError("internal", failure.message, { cause: failure }) : failure;
}

async function logInAt(
  endpoint: RegistryEndpoint,
  { credentials, settings }: Pick<LogInRequest, "credentials" | "settings">,
  signal: AbortSignal,
): Promise<LogInResult> {
  const transport = new RegistryTransport({ endpoint, credentials, settings, scopes: [], isOffline: true });
  const url = `${endpoint.origin}/v2/`;
  const response = await transport.request({ method: "GET", path: "/v2/" }, signal).catch((error: unknown) => {
    if (!(error instanceof RegistryRefusal)) throw error;
    throw new EngineError(error.code === "UNAUTHORIZED" ? "unauthorized" : "internal", error.message, { cause: error });
  });
  await response.body?.cancel();
  if (response.status === 200) return { identityToken: transport.refreshToken ?? "" };
  const reason = `${response.status} ${STATUS_CODES[response.status] ?? ""}`;
  throw new EngineError("internal", `login attempt to ${url} failed with status: ${reason}`);
}

/** @throws {EngineError} `invalid` */
function registryOf(server: string): string {
  if (server === "") return "docker.io";
  const text = /^https?:\/\//.test(server) ? server : `https://${server}`;
  if (!URL.canParse(text)) throw new EngineError("invalid", `unable to parse server address: ${JSON.stringify(server)}`);
  // The port as it was written: that of the scheme says something too.
  const host = /^https?:\/\/(?:[^/@]*@)?([^/?#]+)/.exec(text)?.[1] ?? "";
  return host === "index.docker.io" || host === "docker.io" ? "docker.io" : host;
}
