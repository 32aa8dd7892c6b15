// Compiles everything into one executable, dist/gantry. Workers are entry points of their own.
import { mkdirSync, renameSync, rmSync } from "node:fs";

const workers = ["src/drivers/metadata/worker.ts", "src/drivers/log/worker.ts", "src/drivers/log/forward/worker.ts", "src/os/worker.ts"];
const commit = (Bun.which("git") ? Bun.spawnSync(["git", "rev-parse", "--short", "HEAD"]).stdout.toString().trim() : "") || "dev";

// The bundler leaves its source maps beside the executable, which has them inside already.
const folder = "dist/build";
mkdirSync(folder, { recursive: true });
const child = Bun.spawn(
  [
    process.execPath,
    "build",
    "--compile",
    "--minify",
    "--sourcemap",
    "--bytecode",
    "--format=esm",
    "--splitting",
    // Without these two the executable would load .env and bunfig.toml of whatever folder the user stands in.
    "--no-compile-autoload-dotenv",
    "--no-compile-autoload-bunfig",
    "--define",
    `BUILD_COMMIT=${JSON.stringify(commit)}`,
    "src/main.ts",
    ...workers,
    "--outfile",
    `${folder}/gantry`,
  ],
  { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
);
const code = await child.exited;
if (code !== 0) process.exit(code);
renameSync(`${folder}/gantry`, "dist/gantry");
rmSync(folder, { recursive: true });
console.log("dist/gantry");
