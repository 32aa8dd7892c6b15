import { expect, test } from "bun:test";
import type { ImportedLayer, LayerSource } from "#drivers/snapshot/types.ts";
import { sha256 } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { LayerTransfers } from "./dependencies.ts";
import { importLayer } from "./import-layer.ts";
import { ImageLeases } from "./leases.ts";

const diffId = sha256("layer");
const layer = { diffId, chainId: diffId, parents: [] };
const imported: ImportedLayer = { chainId: diffId, diffId, sizeBytes: 1, digest: diffId, compressedBytes: 1 };
const never = new AbortController().signal;

test("a layer that somebody else brings badly at the same time is read from one's own archive", async () => {
  const seen: string[] = [];
  const snapshots = {
    importLayer: async ({ path }: LayerSource): Promise<ImportedLayer> => {
      seen.push(path);
      await Promise.resolve();
      if (path === "bad") throw new EngineError("invalid", "unexpected end");
      return imported;
    },
  };
  const deps = { transfers: new LayerTransfers(), snapshots };
  const take = (path: string) => importLayer(deps, { layer, lease: new ImageLeases().open(), source: { path } }, never);
  const [bad, good] = await Promise.allSettled([take("bad"), take("good")]);
  expect(bad).toMatchObject({ status: "rejected", reason: { message: "failed to register layer: unexpected end" } });
  expect(good).toEqual({ status: "fulfilled", value: imported });
  expect(seen).toEqual(["bad", "good"]);
});
