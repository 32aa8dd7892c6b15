import { play, type PlayBook } from "../play.ts";
import type { Stage } from "../stage.ts";

const create = "/containers/create";
/** Values of inspect that tell what is mounted. */
const mountValues = [
  "Mounts.Type",
  "Mounts.Destination",
  "Mounts.Mode",
  "Mounts.RW",
  "Mounts.Propagation",
  "Mounts.Driver",
  "HostConfig.Mounts",
];

/** One container with one mount: created, looked at, run, and what it has printed. */
async function tried(t: Stage, mount: Readonly<Record<string, unknown>>, script: string, version?: string): Promise<void> {
  const body = { Image: "busybox", Cmd: ["sh", "-c", script], HostConfig: { NetworkMode: "none", Mounts: [mount] } };
  const { json } = await t.call("POST", create, { body, values: ["Warnings"], ...(version !== undefined && { version }) });
  const id = (json as { Id?: string } | undefined)?.Id;
  if (!id) return;
  t.know(id, "container id");
  await t.call("GET", `/containers/${id}/json`, { values: mountValues });
  const { status } = await t.call("POST", `/containers/${id}/start`);
  if (status === 204) {
    await t.quiet("POST", `/containers/${id}/wait`);
    await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1`);
  }
  await t.quiet("DELETE", `/containers/${id}?force=1&v=1`);
}

const mountedAt = (options: string): string => `grep ' /m ' /proc/mounts | grep -o '${options}' | sort -u`;

/** Mounts by image, by part, by option of the volume driver, and how they reach further. */
export const mounts: PlayBook = {
  noun: "mounts",
  plays: [
    play("an image as a volume", async (t) => {
      const image = { Type: "image", Source: "busybox", Target: "/m" };
      await tried(t, image, "ls /m; cat /m/etc/passwd; touch /m/x");
      await tried(t, { ...image, ReadOnly: true }, "ls /m");
      await tried(t, { ...image, ImageOptions: { Subpath: "etc" } }, "ls /m");
      await tried(t, { ...image, ImageOptions: { Subpath: "etc/passwd" } }, "cat /m");
      for (const Subpath of ["/etc", "../etc", "etc/../.."]) await tried(t, { ...image, ImageOptions: { Subpath } }, "true");
      await tried(t, { ...image, Source: "gantry-missing" }, "true");
      await tried(t, { ...image, Source: "" }, "true");
      await tried(t, { ...image, BindOptions: {} }, "true");
      await tried(t, image, "true", "v1.47");
    }),
    play("a part of a volume", async (t) => {
      const volume = { Type: "volume", Source: t.name("v"), Target: "/m" };
      const part = (Subpath: string) => ({ ...volume, VolumeOptions: { Subpath } });
      await tried(t, part("sub"), "true");
      await tried(t, volume, "mkdir -p /m/sub/deep; echo in >/m/sub/file; ln -s sub /m/in; ln -s /etc /m/out");
      await tried(t, part("sub"), "ls /m");
      await tried(t, part("in/deep/.."), "ls /m");
      await tried(t, part("sub/file"), "cat /m");
      await tried(t, { ...part("sub"), ReadOnly: true }, "touch /m/x");
      await tried(t, part("out"), "true");
      await tried(t, part("sub/file/x"), "true");
      for (const Subpath of ["/sub", "..", "sub/../../x"]) await tried(t, part(Subpath), "true");
      await tried(t, { Type: "volume", Target: "/m", VolumeOptions: { Subpath: "sub" } }, "true");
      await tried(t, part("sub"), "true", "v1.44");
      await tried(t, { ...part("sub"), Target: "/etc" }, "ls /etc");
      await t.quiet("DELETE", `/volumes/${t.name("v")}`);
    }),
    play("options of the local driver", async (t) => {
      const use = { Type: "volume", Source: t.name("v"), Target: "/m" };
      const options: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
        [{ type: "tmpfs", device: "tmpfs", o: "size=1m,uid=1000,noexec" }, `${mountedAt("noexec\\|size=1024k\\|uid=1000")}; touch /m/x`],
        [{ type: "none", device: "/etc", o: "bind,ro" }, "ls /m/passwd; touch /m/x"],
        [{ type: "none", device: "/gantry-missing", o: "bind" }, "true"],
        [{ type: "nonsense", device: "x" }, "true"],
        [{ type: "tmpfs", device: "tmpfs", o: "nonsense=1" }, "true"],
        [{ type: "", device: "", o: "" }, "ls /m"],
      ];
      for (const [DriverOpts, script] of options) {
        await t.call("POST", "/volumes/create", { body: { Name: t.name("v"), DriverOpts }, values: ["Options"] });
        await tried(t, use, script);
        await t.call("DELETE", `/volumes/${t.name("v")}`);
      }
      for (const DriverOpts of [
        { device: "x" },
        { o: "x" },
        { o: "", type: "" },
        { size: "nonsense" },
        { size: "10m" },
        { size: "1m", x: "" },
      ])
        await t.call("POST", "/volumes/create", { body: { Name: t.name("w"), DriverOpts } });
      const DriverConfig = { Name: "local", Options: { type: "tmpfs", device: "tmpfs", o: "size=2m" } };
      await tried(t, { ...use, VolumeOptions: { DriverConfig, Labels: { a: "b" } } }, mountedAt("size=2048k"));
      await t.call("GET", `/volumes/${t.name("v")}`, { values: ["Options", "Labels"] });
      await t.quiet("DELETE", `/volumes/${t.name("v")}`);
    }),
    play("a volume with options is mounted while somebody uses it", async (t) => {
      const DriverOpts = { type: "tmpfs", device: "tmpfs", o: "size=1m" };
      await t.quiet("POST", "/volumes/create", { Name: t.name("v"), DriverOpts });
      const HostConfig = { Binds: [`${t.name("v")}:/m`] };
      const first = await t.running({ HostConfig });
      await t.docker("exec", first, "touch", "/m/kept");
      const second = await t.running({ HostConfig });
      await t.docker("exec", second, "ls", "/m");
      await t.quiet("DELETE", `/containers/${first}?force=1`);
      await t.docker("exec", second, "ls", "/m");
      await t.quiet("DELETE", `/containers/${second}?force=1`);
      await t.ended(["ls", "/m"], { HostConfig }).then((id) => t.stream("GET", `/containers/${id}/logs?stdout=1`));
    }),
    play("binds and what is mounted in them", async (t) => {
      const bind = { Type: "bind", Source: "/etc", Target: "/m" };
      const withOptions = (BindOptions: Readonly<Record<string, unknown>>, ReadOnly = false) => ({ ...bind, ReadOnly, BindOptions });
      await tried(t, withOptions({ NonRecursive: true }, true), "touch /m/x");
      await tried(t, withOptions({ ReadOnlyNonRecursive: true }, true), "touch /m/x");
      await tried(t, withOptions({ ReadOnlyForceRecursive: true, Propagation: "rprivate" }, true), "touch /m/x");
      await tried(t, withOptions({ Propagation: "nonsense" }), "true");
      await tried(t, withOptions({ ReadOnlyForceRecursive: true }, true), "true", "v1.43");
      await tried(t, { ...bind, Source: "/gantry-missing" }, "true");
    }),
    play("a tmpfs and its options", async (t) => {
      const tmpfs = { Type: "tmpfs", Target: "/m" };
      const shown = mountedAt("noexec\\|nosuid\\|nodev\\|size=[0-9]*k\\|mode=[0-9]*");
      await tried(t, tmpfs, shown);
      await tried(t, { ...tmpfs, TmpfsOptions: { SizeBytes: 1 << 20, Mode: 0o700 } }, shown);
      await tried(t, { ...tmpfs, ReadOnly: true }, "touch /m/x");
      await tried(t, { ...tmpfs, TmpfsOptions: { Options: [["exec"]] } }, shown);
      for (const Options of [[["uid", "1000"]], [["suid"]], [["a", "b", "c"]], [["size", "1m"]]])
        await tried(t, { ...tmpfs, TmpfsOptions: { Options } }, "true");
      await tried(t, { ...tmpfs, Source: "x" }, "true");
    }),
    play("volumes from several containers", async (t) => {
      const a = await t.container({ HostConfig: { Binds: [`${t.name("a")}:/m`, "/etc:/host:ro"] } });
      const b = await t.container({ HostConfig: { Binds: [`${t.name("b")}:/m`] } });
      for (const VolumesFrom of [[a, b], [b, a], [`${a}:ro`], [`${a}:rw`], [`${a}:z`]]) {
        const id = await t.container({ HostConfig: { VolumesFrom } });
        await t.docker("inspect", "--format", '{{range .Mounts}}{{if eq .Destination "/m"}}{{.Name}} {{.RW}} {{.Mode}}{{end}}{{end}}', id);
        await t.quiet("DELETE", `/containers/${id}`);
      }
      for (const from of ["", "gantry-missing", "gantry-missing:x", `${a}:ro:rw`, `${a}:rslave`, `${a}:nocopy`])
        await t.call("POST", create, { body: { Image: "busybox", HostConfig: { VolumesFrom: [from] } } });
    }),
    play("a mount and an unmount are told", async (t) => {
      await t.ended(["true"], { HostConfig: { Binds: [`${t.name("v")}:/m:ro`] } });
      await t.events("die");
    }),
  ],
};
