import { play, type PlayBook } from "../play.ts";
import { filterText } from "../query.ts";
import type { Stage } from "../stage.ts";

async function tagged(t: Stage, suffix = "i", tag = "v1"): Promise<string> {
  await t.quiet("POST", `/images/busybox/tag?repo=${t.name(suffix)}&tag=${tag}`);
  return t.ownImage(`${t.name(suffix)}:${tag}`);
}

async function listed(t: Stage, filters: Readonly<Record<string, readonly string[]>>): Promise<void> {
  await t.list(`/images/json?filters=${filterText(filters)}`);
}

/** Images without a registry. */
export const image: PlayBook = {
  noun: "image",
  plays: [
    play("inspect (bugs 8, 12)", async (t) => {
      await t.call("GET", "/images/busybox/json", {
        values: ["Config", "Os", "Architecture", "RootFS.Type", "Created", "Parent", "Author", "Comment"],
      });
      await t.call("GET", "/images/busybox:latest/json", { version: "v1.43" });
      await t.call("GET", "/images/busybox/json", { version: "v1.24" });
      await t.call("GET", "/images/docker.io/library/busybox:latest/json", { values: ["RepoTags"] });
    }),
    play("inspect of what is missing or malformed", async (t) => {
      for (const name of [
        "gantry-missing",
        "gantry-missing:v1",
        `sha256:${"a".repeat(64)}`,
        "Busybox",
        "busybox:",
        "busybox:no such",
        `busybox@sha256:${"a".repeat(64)}`,
        "a/b/c:d",
      ])
        await t.call("GET", `/images/${encodeURI(name)}/json`);
    }),
    play("inspect by id and short id", async (t) => {
      const { Id } = (await t.quiet("GET", "/images/busybox/json")) as { Id: string };
      for (const name of [Id, Id.slice(7), Id.slice(7, 19)]) await t.call("GET", `/images/${name}/json`, { values: ["Os"] });
    }),
    play("history (bug 8)", async (t) => {
      await t.call("GET", "/images/busybox/history", { values: ["CreatedBy", "Comment", "Created", "Tags"] });
      await t.call("GET", "/images/gantry-missing/history");
    }),
    play("list", async (t) => {
      const reference = await tagged(t);
      await t.call("GET", `/images/json?filters=${filterText({ reference: [reference] })}`);
      await t.call("GET", `/images/json?all=1&shared-size=1&digests=1&filters=${filterText({ reference: [reference] })}`);
      await t.call("GET", `/images/json?filters=${filterText({ reference: [reference] })}`, { version: "v1.43" });
      await t.call("GET", `/images/json?filters=${filterText({ reference: [reference] })}`, { version: "v1.24" });
    }),
    play("list with every filter", async (t) => {
      const reference = await tagged(t);
      const other = await tagged(t, "j", "v2");
      await listed(t, { reference: [reference, other] });
      await listed(t, { reference: [`${t.name("i")}:*`] });
      await listed(t, { reference: [t.name("i")] });
      await listed(t, { reference: ["gantry-*"] });
      await listed(t, { reference: ["["] });
      await listed(t, { dangling: ["true"], reference: [reference] });
      await listed(t, { dangling: ["nonsense"] });
      await listed(t, { label: ["no-such-label"] });
      await listed(t, { before: ["gantry-missing"] });
      await listed(t, { since: ["gantry-missing"] });
      await listed(t, { since: ["busybox"], reference: [reference] });
      await listed(t, { until: ["nonsense"] });
      await listed(t, { until: ["2020-01-01"], reference: [reference] });
      await listed(t, { nonsense: ["x"] });
    }),
    play("tag", async (t) => {
      for (const [repo, tag] of [
        [t.name("a"), "v1"],
        [t.name("a"), "v1"],
        [t.name("b"), ""],
        [`localhost:5000/${t.name("c")}`, "x"],
      ] as const) {
        t.ownImage(tag === "" ? repo : `${repo}:${tag}`);
        await t.call("POST", `/images/busybox/tag?repo=${repo}&tag=${tag}`);
      }
      await t.call("GET", `/images/${t.name("b")}/json`);
      for (const query of [
        `repo=${t.name("a")}&tag=no%20such`,
        "repo=UPPER&tag=x",
        "repo=&tag=x",
        "repo=sha256&tag=x",
        `repo=busybox@sha256:${"a".repeat(64)}`,
        "",
      ])
        await t.call("POST", `/images/busybox/tag?${query}`);
      await t.call("POST", `/images/gantry-missing/tag?repo=${t.name("d")}&tag=x`);
    }),
    play("removing one of several tags, the last one, and what is missing", async (t) => {
      const reference = await tagged(t);
      await t.call("DELETE", `/images/${reference}`, { values: ["Untagged"] });
      await t.call("DELETE", `/images/${reference}`);
      await t.call("DELETE", `/images/gantry-missing`);
      await t.call("DELETE", "/images/Busybox");
    }),
    play("removing an image by id that has several tags or is in use (bug 14)", async (t) => {
      await tagged(t);
      const { Id } = (await t.quiet("GET", "/images/busybox/json")) as { Id: string };
      await t.running();
      const { status, text } = await t.call("DELETE", `/images/${Id.slice(7, 19)}`);
      t.note("status and text", [status, text.replaceAll(/container [0-9a-f]{12}/g, "container <short id>")]);
    }),
    play("prune of nothing", async (t) => {
      await t.call("POST", `/images/prune?filters=${filterText({ label: [`none=${t.unique}`] })}`);
      await t.call("POST", `/images/prune?filters=${filterText({ dangling: ["nonsense"] })}`);
      await t.call("POST", `/images/prune?filters=${filterText({ nonsense: ["x"] })}`);
      await t.call("POST", `/images/prune?filters=${filterText({ until: ["nonsense"] })}`);
    }),
    play("load refuses what is no archive", async (t) => {
      await t.call("POST", "/images/load?quiet=1", { body: "nonsense", headers: { "Content-Type": "application/x-tar" } });
      await t.call("POST", "/images/load", { body: "", headers: { "Content-Type": "application/x-tar" } });
    }),
    play("create refuses malformed names", async (t) => {
      for (const query of ["fromImage=Upper", "fromImage=", "fromImage=a&tag=no%20such", `fromImage=busybox:sha256:${"a".repeat(64)}`])
        await t.call("POST", `/images/create?${query}`);
    }),
    play("pull from a registry that does not answer", async (t) => {
      const { status } = await t.call("POST", "/images/create?fromImage=127.0.0.1:1/x&tag=v1");
      t.note("status", status);
    }),
  ],
};
