import { play, type PlayBook } from "../play.ts";
import { filterText } from "../query.ts";
import type { Stage } from "../stage.ts";

async function listed(t: Stage, filters: Readonly<Record<string, readonly string[]>>): Promise<void> {
  await t.list(`/volumes?filters=${filterText({ name: [t.unique], ...filters })}`);
}

/** Docker looks for a plugin that is not there for 15 seconds, sometimes twice. */
const pluginSearch = 60_000;

/** Volumes of the driver local. */
export const volume: PlayBook = {
  noun: "volume",
  plays: [
    play("create and inspect", async (t) => {
      await t.call("POST", "/volumes/create", { body: { Name: t.name("v") }, values: ["Driver", "Labels", "Options", "Scope"] });
      await t.call("GET", `/volumes/${t.name("v")}`, { values: ["Driver", "Labels", "Options", "Scope"] });
      await t.call("POST", "/volumes/create", {
        body: { Name: t.name("l"), Labels: { a: "b" }, DriverOpts: {} },
        values: ["Labels", "Options"],
      });
      await t.call("GET", `/volumes/${t.name("l")}`, { values: ["Labels", "Options"] });
    }),
    play("create of an existing name is 201 (bug 15)", async (t) => {
      await t.call("POST", "/volumes/create", { body: { Name: t.name("v"), Labels: { a: "b" } }, values: ["Labels"] });
      await t.call("POST", "/volumes/create", { body: { Name: t.name("v"), Labels: { a: "c" } }, values: ["Labels"] });
      await t.call("POST", "/volumes/create", { body: { Name: t.name("v"), Driver: "nonsense" }, limitMilliseconds: pluginSearch });
    }),
    play("create without a name or a body", async (t) => {
      const { json } = await t.call("POST", "/volumes/create", { body: {}, values: ["Labels", "Options"] });
      await t.quiet("DELETE", `/volumes/${(json as { Name: string }).Name}`);
      const { json: second } = await t.call("POST", "/volumes/create");
      const name = (second as { Name?: string } | undefined)?.Name;
      if (name) await t.quiet("DELETE", `/volumes/${name}`);
    }),
    play("create refuses", async (t) => {
      for (const body of [
        { Name: "a/b" },
        { Name: "x" },
        { Name: ".." },
        { Name: "-a" },
        { Name: t.name("v"), Driver: "nonsense" },
        { Name: t.name("v"), DriverOpts: { nonsense: "1" } },
        { Name: t.name("v"), DriverOpts: { type: "tmpfs" } },
        { Name: t.name("w"), DriverOpts: { type: "tmpfs", device: "tmpfs", o: "size=1m" } },
      ])
        await t.call("POST", "/volumes/create", { body, values: ["Options"], limitMilliseconds: pluginSearch });
    }),
    play("remove: in use, missing, forced", async (t) => {
      const id = await t.container({ HostConfig: { Binds: [`${t.name("v")}:/v`] } });
      await t.call("DELETE", `/volumes/${t.name("v")}`);
      await t.call("DELETE", `/volumes/${t.name("v")}?force=1`);
      await t.quiet("DELETE", `/containers/${id}`);
      await t.call("DELETE", `/volumes/${t.name("v")}`);
      await t.call("DELETE", `/volumes/${t.name("v")}`);
      await t.call("DELETE", `/volumes/${t.name("v")}?force=1`);
      await t.call("DELETE", `/volumes/${t.name("v")}?force=nonsense`);
      await t.call("GET", `/volumes/${t.name("v")}`);
    }),
    play("update is for cluster volumes only", async (t) => {
      await t.quiet("POST", "/volumes/create", { Name: t.name("v") });
      await t.call("PUT", `/volumes/${t.name("v")}?version=1`, { body: {} });
      await t.call("PUT", `/volumes/${t.name("v")}`, { body: {} });
    }),
    play("list with every filter", async (t) => {
      await t.quiet("POST", "/volumes/create", { Name: t.name("a"), Labels: { a: "b" } });
      await t.container({ HostConfig: { Binds: [`${t.name("b")}:/v`] } });
      await listed(t, {});
      await listed(t, { name: [t.name("a")] });
      await listed(t, { label: ["a"] });
      await listed(t, { label: ["a=c"] });
      await listed(t, { driver: ["local"] });
      await listed(t, { driver: ["nonsense"] });
      await listed(t, { dangling: ["true"] });
      await listed(t, { dangling: ["false"] });
      await listed(t, { dangling: ["nonsense"] });
      await listed(t, { nonsense: ["x"] });
      await listed(t, { name: [`${t.unique}-none`] });
      await t.call("GET", `/volumes?filters=${filterText({ name: ["gantry-no-such-volume"] })}`);
    }),
    play("prune takes anonymous volumes, and all of them when asked", async (t) => {
      const label = `gantry.play=${t.unique}`;
      const Labels = { "gantry.play": t.unique };
      await t.quiet("POST", "/volumes/create", { Name: t.name("named"), Labels });
      await t.quiet("POST", "/volumes/create", { Labels });
      await t.call("POST", `/volumes/prune?filters=${filterText({ label: [label] })}`);
      await t.call("GET", `/volumes/${t.name("named")}`);
      await t.call("POST", `/volumes/prune?filters=${filterText({ label: [label], all: ["nonsense"] })}`);
      await t.call("POST", `/volumes/prune?filters=${filterText({ label: [label], all: ["true"] })}`, { values: [""] });
      await t.quiet("POST", "/volumes/create", { Name: t.name("old"), Labels });
      await t.call("POST", `/volumes/prune?filters=${filterText({ label: [label] })}`, { version: "v1.41", values: [""] });
      await t.call("POST", `/volumes/prune?filters=${filterText({ label: [label], nonsense: ["x"] })}`);
    }),
    play("a new volume has what the image has there", async (t) => {
      const id = await t.ended(["sh", "-c", "ls /etc"], {
        HostConfig: {
          Mounts: [
            { Type: "volume", Source: t.name("copied"), Target: "/etc" },
            { Type: "volume", Source: t.name("empty"), Target: "/home", VolumeOptions: { NoCopy: true, Labels: { a: "b" } } },
          ],
        },
      });
      await t.stream("GET", `/containers/${id}/logs?stdout=1`);
      await t.call("GET", `/containers/${id}/json`, { values: ["Mounts.Type", "Mounts.Destination", "Mounts.Mode", "HostConfig.Mounts"] });
      await t.call("GET", `/volumes/${t.name("empty")}`, { values: ["Labels"] });
    }),
    play("volumes from another container", async (t) => {
      await t.container({ HostConfig: { Binds: [`${t.name("v")}:/v`, "/tmp:/w:ro"] } });
      const id = await t.container({ HostConfig: { VolumesFrom: [`${t.name("c0")}:ro`] } });
      await t.call("GET", `/containers/${id}/json`, {
        values: ["HostConfig.VolumesFrom", "Mounts.RW", "Mounts.Mode", "Mounts.Destination"],
      });
    }),
  ],
};
