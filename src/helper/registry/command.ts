import { defaultCertificateFolders } from "#drivers/distribution/certificates.ts";
import { RegistryClient } from "#drivers/distribution/client.ts";
import { parseRegistryAuth } from "#drivers/distribution/credentials.ts";
import { environmentProxies } from "#drivers/distribution/proxy.ts";
import { parseReference } from "#lib/reference.ts";
import { replyFailure } from "../failure.ts";
import { fetchDocument } from "./fetch.ts";
import type { RegistryRequest } from "#types/registry-helper.ts";
import { pushList } from "./push.ts";

/** `gantry internal registry`: one request for a registry on stdin, one line of JSON on stdout. @returns the exit code */
export async function runRegistry(): Promise<number> {
  // The request was written by our own client.
  const request = (await Bun.stdin.json()) as RegistryRequest;
  const reply = await answer(request).then(
    (result) => ({ result }),
    (error: unknown) => ({ error: replyFailure(error) }),
  );
  await Bun.write(Bun.stdout, `${JSON.stringify(reply)}\n`);
  return 0;
}

function answer(request: RegistryRequest): Promise<unknown> {
  const reference = parseReference(request.action === "fetch" ? request.reference : request.target);
  const client = new RegistryClient({
    insecureRegistries: request.insecure ? [reference.domain] : [],
    certificateFolders: defaultCertificateFolders,
    proxies: environmentProxies(process.env),
  });
  const credentials = parseRegistryAuth(request.auth);
  const signal = new AbortController().signal; // the process is ended to cancel it
  const name = reference.digest ?? reference.tag ?? "latest";
  if (request.action === "fetch") return fetchDocument(client.repository(reference, credentials), name, signal);
  return client.pushTarget(reference, credentials, signal).then((target) => pushList(target, name, request, signal));
}
