import { play, type PlayBook } from "../play.ts";
import { filterText } from "../query.ts";
import type { Stage } from "../stage.ts";

const other = { os: "linux", architecture: process.arch === "arm64" ? "amd64" : "arm64" };
const own = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
const text = (platform: object): string => encodeURIComponent(JSON.stringify(platform));

async function tagged(t: Stage, tag = "v1"): Promise<string> {
  await t.quiet("POST", `/images/busybox/tag?repo=${t.name("p")}&tag=${tag}`);
  return t.ownImage(`${t.name("p")}:${tag}`);
}

const malformed = ["linux/amd64", "{", '{"os":"linux"}', '{"os":5}', `${JSON.stringify(own)}x`];

/** One image and its platforms, where a name stands for one. */
export const imagePlatforms: PlayBook = {
  noun: "image-platforms",
  plays: [
    play("inspect of a platform", async (t) => {
      const reference = await tagged(t);
      for (const platform of [own, other, { ...other, variant: "v9" }])
        await t.call("GET", `/images/${reference}/json?platform=${text(platform)}`, { values: ["Architecture", "Os"] });
      for (const platform of malformed) await t.call("GET", `/images/${reference}/json?platform=${encodeURIComponent(platform)}`);
      await t.call("GET", `/images/${reference}/json?platform=&manifests=0`);
      await t.call("GET", `/images/${reference}/json?manifests=1&platform=${text(own)}`);
      await t.call("GET", `/images/gantry-missing/json?platform=${text(own)}`);
      await t.call("GET", "/images/gantry-missing/json?platform=x");
    }),
    play("inspect of a platform before 1.49 does not look at it", async (t) => {
      const reference = await tagged(t);
      await t.call("GET", `/images/${reference}/json?platform=${text(other)}`, { version: "v1.48", values: ["Architecture"] });
      await t.call("GET", `/images/${reference}/json?platform=x`, { version: "v1.48", values: ["Architecture"] });
    }),
    play("history of a platform", async (t) => {
      const reference = await tagged(t);
      for (const platform of [own, other]) await t.call("GET", `/images/${reference}/history?platform=${text(platform)}`);
      for (const platform of malformed) await t.call("GET", `/images/${reference}/history?platform=${encodeURIComponent(platform)}`);
      await t.call("GET", `/images/${reference}/history?platform=x`, { version: "v1.47" });
      await t.call("GET", "/images/gantry-missing/history?platform=x");
    }),
    play("removal of a platform", async (t) => {
      const reference = await tagged(t);
      await t.call("DELETE", `/images/${reference}?platforms=${text(other)}`);
      for (const platform of malformed) await t.call("DELETE", `/images/${reference}?platforms=${encodeURIComponent(platform)}`);
      await t.call("DELETE", `/images/${reference}?platforms=${text(own)}&platforms=${text(other)}`);
      await t.call("DELETE", `/images/${reference}?platforms=`);
      await t.call("DELETE", `/images/gantry-missing?platforms=${text(own)}`);
      await t.call("DELETE", `/images/${reference}?platforms=${text(own)}`);
      const older = await tagged(t, "v2");
      await t.call("DELETE", `/images/${older}?platforms=${text(other)}`, { version: "v1.49" });
    }),
    play("a list with the manifests of images", async (t) => {
      const reference = await tagged(t);
      const filters = filterText({ reference: [reference] });
      await t.call("GET", `/images/json?manifests=1&filters=${filters}`);
      await t.call("GET", `/images/json?manifests=1&filters=${filters}`, { version: "v1.46" });
      await t.call("GET", `/images/${reference}/json?manifests=1`);
      await t.call("GET", `/images/${reference}/json?manifests=1`, { version: "v1.47" });
    }),
    play("the client's commands about platforms", async (t) => {
      const reference = await tagged(t);
      const platform = `${other.os}/${other.architecture}`;
      await t.docker("image", "inspect", "--platform", platform, reference);
      await t.docker("history", "--platform", platform, reference);
      await t.docker("rmi", "--platform", platform, reference);
      await t.docker("images", "--tree", "--quiet");
      await t.docker("images", "--tree", "--no-trunc");
    }),
  ],
};
