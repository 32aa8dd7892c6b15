import { expect, test } from "bun:test";
import type { LinkedFlow } from "./firewall-elements.ts";
import { LinkedFlows } from "./linked-flows.ts";

const flow = (port: number): LinkedFlow => ({ source: "10.1.0.2", target: "10.1.0.3", protocol: "tcp", port });
const admitted = (port: number, target = "db") => ({ networkId: "n", source: "web", target, flow: flow(port) });

test("a flow is admitted once, and taken back once", () => {
  const flows = new LinkedFlows();
  expect(flows.add([admitted(80), admitted(80), admitted(81)])).toEqual([flow(80), flow(81)]);
  expect(flows.add([admitted(80), admitted(82, "other")])).toEqual([flow(82)]);
  expect(flows.all()).toEqual([flow(80), flow(81), flow(82)]);
  expect(flows.take(({ target }) => target === "db")).toEqual([flow(80), flow(81)]);
  expect(flows.take(({ target }) => target === "db")).toEqual([]);
  expect(flows.add([admitted(80)])).toEqual([flow(80)]);
});
