import { childEnvironment } from "../process/self.ts";

/** The nft program refused, or is not there. The message is its own. */
export class NftError extends Error {
  override readonly name = "NftError";
}

/**
 * Carries out a script in the language of nft(8) as one transaction. It starts a process (5 to 11 ms): only for whole tables, never for
 * one container. @throws {NftError}
 */
export async function loadRuleset(script: string): Promise<void> {
  await runNft(["-f", "-"], script);
}

/** The JSON objects that `nft -j list …` prints. @throws {NftError} also when what was asked for is not there. Source: libnftables-json(5). */
export async function listRuleset(...what: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  const parsed = JSON.parse(await runNft(["-j", "list", ...what], "")) as { nftables?: unknown };
  return Array.isArray(parsed.nftables) ? (parsed.nftables as Record<string, unknown>[]) : [];
}

async function runNft(parameters: readonly string[], input: string): Promise<string> {
  const child = spawnNft(parameters, input);
  const [output, errors, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new NftError(`nft ${parameters.join(" ")}: ${errors.trim()}`);
  return output;
}

function spawnNft(parameters: readonly string[], input: string): Bun.Subprocess<Blob, "pipe", "pipe"> {
  try {
    return Bun.spawn(["nft", ...parameters], { stdin: new Blob([input]), stdout: "pipe", stderr: "pipe", env: childEnvironment() });
  } catch (error) {
    throw new NftError("the nft program was not found: install nftables", { cause: error });
  }
}
