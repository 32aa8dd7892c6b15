import { expect, test } from "bun:test";
import { machineName } from "./machine-name.ts";

test("the name of a machine is the kernel's", () => {
  expect(machineName()).toBe(Bun.spawnSync(["uname", "-m"]).stdout.toString().trim());
  expect(machineName("arm64")).toBe("aarch64");
});
