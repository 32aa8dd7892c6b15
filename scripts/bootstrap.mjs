// Entry of every npm script. Needs only Node and npm: installs the packages when they are missing or older than the
// lock file, finds the pinned Bun and hands over to scripts/NAME.ts.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [name, ...args] = process.argv.slice(2);

const lockFile = join(root, "package-lock.json");
const installed = join(root, "node_modules", ".package-lock.json");
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lockFile).mtimeMs) {
  console.error("Installing the npm packages named in package-lock.json ...");
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (npm.status !== 0) {
    console.error("npm ci failed: see its messages above. Check that the npm registry can be reached, then run this again.");
    process.exit(1);
  }
}

// npm may leave Bun's own install script unrun; the platform package then still holds the program.
const architecture = process.arch === "arm64" ? "aarch64" : "x64";
const bun = [
  join(root, "node_modules", "@oven", `bun-linux-${architecture}`, "bin", "bun"),
  join(root, "node_modules", ".bin", "bun"),
].find(existsSync);
if (!bun) {
  console.error("Bun was not installed by npm: remove node_modules and run this again.");
  process.exit(1);
}
const run = spawnSync(bun, [join(root, "scripts", `${name}.ts`), ...args], { cwd: root, stdio: "inherit" });
process.exit(run.status ?? 1);
