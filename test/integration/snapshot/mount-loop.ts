// Run by erofs-loop.test.ts: mounts a layer and unmounts it, again and again, until it is killed.
import { Kernel } from "#os/kernel.ts";

const [index = "", data = "", target = ""] = process.argv.slice(2);
const kernel = new Kernel();
for (;;) {
  await kernel.run({ type: "mount-erofs", index, data, target, onLoopDevices: true });
  await kernel.run({ type: "umount", target });
}
