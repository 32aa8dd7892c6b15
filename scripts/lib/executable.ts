import { existsSync, statSync } from "node:fs";
import { resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");
const executable = resolve(root, "dist/gantry");

/** Builds dist/gantry unless it is younger than everything it is made of. */
export async function ensureExecutable(): Promise<{ readonly path: string; readonly built: boolean }> {
  if (existsSync(executable) && statSync(executable).mtimeMs >= newestSource()) return { path: executable, built: false };
  console.error("building dist/gantry");
  const child = Bun.spawn([process.execPath, resolve(root, "scripts/build.ts")], { cwd: root, stdio: ["ignore", 2, 2] });
  if ((await child.exited) !== 0) throw new Error("the build failed: see its messages above");
  return { path: executable, built: true };
}

function newestSource(): number {
  const files = [...new Bun.Glob("src/**/*").scanSync({ cwd: root })].filter((file) => !file.endsWith(".test.ts"));
  const times = [...files, "package.json", "scripts/build.ts"].map(
    (file) => statSync(resolve(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  );
  return Math.max(...times);
}
