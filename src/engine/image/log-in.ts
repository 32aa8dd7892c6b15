import type { RegistryClient } from "#drivers/distribution/client.ts";

export interface LogInCredentials {
  readonly server: string;
  readonly username: string;
  readonly password: string;
  readonly identityToken: string;
}

/**
 * Checks credentials at a registry; nothing is kept.
 * @returns a token to use from then on instead of the password, empty when the registry gives none
 * @throws {EngineError} with Docker's texts
 */
export async function logInTo(registries: RegistryClient, credentials: LogInCredentials, signal: AbortSignal): Promise<string> {
  const { server, username, password, identityToken } = credentials;
  const given = {
    ...(username !== "" && { username }),
    ...(password !== "" && { password }),
    ...(identityToken !== "" && { identityToken }),
  };
  return (await registries.logIn(server, given, signal)).identityToken;
}
