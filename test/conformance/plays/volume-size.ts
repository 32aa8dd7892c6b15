import { play, type PlayBook } from "../play.ts";

/** On a file system without project quotas: with them sizes would be taken. */
const sizes = [
  "0",
  "0b",
  "0.0 KiB",
  "",
  " ",
  "1",
  "10m",
  "1.5GiB",
  "1e3",
  "-1",
  "+5",
  "5.",
  ".5k",
  "1 m",
  "1  m",
  "1y",
  "1mm",
  "m",
  "1,5m",
  "0x10",
];

/** The option `size` of the driver local. */
export const volumeSize: PlayBook = {
  noun: "volume-size",
  plays: [
    play("sizes that are none, and sizes that no quota would keep", async (t) => {
      for (const size of sizes) {
        const body = { Name: t.name("v"), DriverOpts: { size } };
        await t.call("POST", "/volumes/create", { body, values: ["Options"] });
        await t.quiet("DELETE", `/volumes/${t.name("v")}?force=1`);
      }
    }),
    play("a size beside other options", async (t) => {
      const mounted = { type: "tmpfs", device: "tmpfs", o: "size=1m" };
      for (const DriverOpts of [
        { ...mounted, size: "0" },
        { ...mounted, size: "1m" },
        { size: "1m", type: "tmpfs" },
        { size: "x", type: "tmpfs" },
        { size: "0", type: "tmpfs" },
        { Size: "1m" },
      ]) {
        await t.call("POST", "/volumes/create", { body: { Name: t.name("v"), DriverOpts }, values: ["Options"] });
        await t.quiet("DELETE", `/volumes/${t.name("v")}?force=1`);
      }
    }),
    play("a volume whose size is 0 is used, told and listed as any", async (t) => {
      await t.docker("volume", "create", "--opt", "size=0", t.name("v"));
      await t.docker("volume", "inspect", "--format", "{{json .Options}}", t.name("v"));
      await t.docker("run", "--rm", "--network", "none", "-v", `${t.name("v")}:/m`, "busybox", "touch", "/m/x");
      await t.docker("volume", "create", "-o", "size=5m", t.name("w"));
      await t.docker("volume", "create", "-o", "size=five", t.name("w"));
      await t.docker("volume", "rm", t.name("v"));
    }),
  ],
};
