import { snapshotterContract } from "#drivers/snapshot/contract.ts";
import { preparePlace } from "./place.ts";

snapshotterContract("ErofsSnapshotter", () => preparePlace("erofs"));
