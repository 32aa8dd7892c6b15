import type { ImageVerification } from "#engine/image/verify/verify.ts";
import type { Damage, Verified, VerifyReport } from "#engine/image/verify/report.ts";
import { stream } from "../http/response.ts";
import { post, type Route } from "../http/route.ts";
import { progressStream } from "./progress.ts";

/** Reads images again: our own route, which no Docker client asks for. Progress, and at last a message whose `aux` is the report. */
export function verifyRoutes(verification: ImageVerification): Route[] {
  return [
    post("/gantry/images/verify", async ({ query, signal }) =>
      stream(
        "application/json",
        await progressStream(async (progress) =>
          progress({ aux: toReport(await verification.verify(query.getAll("names"), progress, signal)) }),
        ),
      ),
    ),
  ];
}

function toReport({ images, others }: VerifyReport): unknown {
  return {
    Images: images.map(({ id, tags, isInRegistry, ...verified }) => ({
      Id: id,
      RepoTags: tags,
      IsInRegistry: isInRegistry,
      ...toVerified(verified),
    })),
    Others: others ? toVerified(others) : null,
  };
}

function toVerified({ layers, blobs, sizeBytes, damages }: Verified) {
  return { Layers: layers, Blobs: blobs, Size: sizeBytes, Damages: damages.map(toDamage) };
}

function toDamage({ object, digest, state, reason, file }: Damage) {
  return { Object: object, Digest: digest, State: state, Reason: reason, File: file };
}
