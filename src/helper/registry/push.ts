import type { PushTarget } from "#drivers/distribution/push-target.ts";
import { parseDigest, sha256, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { PushRequest } from "#types/registry-helper.ts";

/** Brings manifests of other repositories to the target's, by mounting their blobs, then names the list. @returns its digest */
export async function pushList(target: PushTarget, tag: string, request: PushRequest, signal: AbortSignal): Promise<Digest> {
  for (const { digest, mediaType, bytes, from, blobs } of request.manifests) {
    for (const blob of blobs) await bring(target, parseDigest(blob), { from, to: request.target }, signal);
    await target.putManifest({ name: parseDigest(digest), mediaType, bytes: Buffer.from(bytes, "base64") }, signal);
  }
  const list = Buffer.from(request.list.bytes, "base64");
  await target.putManifest({ name: tag, mediaType: request.list.mediaType, bytes: list }, signal);
  return sha256(list);
}

async function bring(
  target: PushTarget,
  blob: Digest,
  { from, to }: { readonly from: string; readonly to: string },
  signal: AbortSignal,
): Promise<void> {
  if (await target.hasBlob(blob, signal)) return;
  const result = await target.mount(blob, from, signal);
  if (result.type === "mounted") return;
  if (result.type === "begun") await target.cancel(result.location);
  throw new EngineError("internal", `error mounting ${from}@${blob} to ${to}`);
}
