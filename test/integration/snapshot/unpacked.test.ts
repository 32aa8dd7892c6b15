import { snapshotterContract } from "#drivers/snapshot/contract.ts";
import { preparePlace } from "./place.ts";

snapshotterContract("UnpackedSnapshotter", () => preparePlace("unpacked"));
