import { expect, test } from "bun:test";
import { sha256 } from "#lib/digest.ts";
import type { MountInfo } from "#os/mount.ts";
import { layerPaths } from "./layer-store.ts";
import { readMounted } from "./mounted-trees.ts";

const paths = layerPaths("/var/lib/gantry/layers");
const [low, high] = [sha256("low"), sha256("high")];

function overlay(target: string, superOptions: string): MountInfo {
  return { id: 1, device: "0:1", root: "/", target, options: "rw", tags: [], type: "overlay", source: "overlay", superOptions };
}

test("merged trees are told with their layers, lowest first", () => {
  const options = `rw,lowerdir+=${paths.mount(high)},lowerdir+=${paths.files(low)},upperdir=/u,workdir=/w,volatile`;
  const { trees } = readMounted(paths, [overlay("/rootfs", options)]);
  expect([...trees]).toEqual([["/rootfs", [low, high]]]);
});

test("the list form of older kernels is read too", () => {
  const { trees } = readMounted(paths, [overlay("/rootfs", `rw,lowerdir=${paths.mount(high)}:${paths.mount(low)},upperdir=/u`)]);
  expect(trees.get("/rootfs")).toEqual([low, high]);
});

test("layers with the ids of a user namespace are the same ones", () => {
  const { trees } = readMounted(paths, [
    overlay("/rootfs", `rw,lowerdir+=${paths.mapped}/${high.slice(7)},lowerdir+=${paths.mapped}/${low.slice(7)}`),
    overlay("/empty", `rw,lowerdir+=${paths.mapped}/empty,upperdir=${paths.mapped}/writable/upper`),
  ]);
  expect([...trees]).toEqual([
    ["/rootfs", [low, high]],
    ["/empty", []],
  ]);
});

test("a tree of an image without layers counts, those of others do not", () => {
  const { trees } = readMounted(paths, [
    overlay("/ours", `rw,lowerdir+=${paths.empty},upperdir=/u`),
    overlay("/docker", "rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B,upperdir=/u"),
    overlay("/other", `rw,lowerdir+=/other/layers/mounts/${low.slice(7)},upperdir=/u`),
  ]);
  expect([...trees]).toEqual([["/ours", []]]);
});

test("mounted layers are told, and only EROFS mounts below our folder", () => {
  const mount = (target: string, type: string): MountInfo => ({ ...overlay(target, "ro"), type });
  const { layers } = readMounted(paths, [
    mount(paths.mount(low), "erofs"),
    mount(paths.mount(high), "ext4"),
    mount(`/x/${high.slice(7)}`, "erofs"),
    mount(`${paths.mounts}/probe`, "erofs"),
  ]);
  expect([...layers]).toEqual([low]);
});
