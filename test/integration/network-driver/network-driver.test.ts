import { expect, test } from "bun:test";
import { patience } from "../../support/until.ts";

/// The scenarios need a network of their own: bridges, rules and a second "machine" that must not meet those of this host. Each run is a
/// process in fresh network and mount namespaces; whatever a failed run leaves behind goes with them.
const scenarios = `${import.meta.dir}/scenarios.ts`;

test.each([
  ["packets inside a bridge pass the IP filters (br_netfilter)", "1"],
  ["packets inside a bridge stay on the bridge", "0"],
])(
  "the network driver keeps its promises where %s",
  async (_, bridgedPacketsFiltered) => {
    const child = Bun.spawn(["unshare", "--net", "--mount", process.execPath, "test", "--timeout", String(5000 * patience), scenarios], {
      env: { ...process.env, GANTRY_TEST_BRIDGE_NF: bridgedPacketsFiltered },
      stdout: "pipe",
      stderr: "pipe",
    });
    const [output, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    expect(code === 0 ? "" : output).toBe("");
  },
  120_000 * patience,
);
