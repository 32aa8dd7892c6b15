import { expect, test } from "bun:test";
import { mountOverlayByPage } from "./overlay-option-page.ts";

test("layers that do not fit into a page of options are refused with the reason, before the kernel is asked", () => {
  const lowers = Array.from({ length: 60 }, (_, index) => `/var/lib/gantry/layers/chains/${String(index).padStart(64, "0")}/fs`);
  expect(() => mountOverlayByPage({ lowers, target: "/nowhere", options: [] })).toThrow(
    "mount overlay on /nowhere: 60 layers do not fit into a page of options; Linux 6.8 or newer takes them",
  );
});

test("what the kernel refuses names the target", () => {
  expect(() => mountOverlayByPage({ lowers: ["/nowhere:a,b"], target: "/nowhere", options: [] })).toThrow("mount overlay on /nowhere: ");
});
