import { isMainThread } from "node:worker_threads";

/**
 * How to start this program again: compiled it is one executable, under `bun run` and `bun test` it is Bun with src/main.ts. The only
 * place that knows.
 */
export function selfCommand(...args: readonly string[]): string[] {
  return isCompiled() ? [process.execPath, ...args] : [process.execPath, `${import.meta.dir}/../../main.ts`, ...args];
}

/** True inside the executable made by `npm run build`. */
export function isCompiled(): boolean {
  return import.meta.dir.startsWith("/$bunfs/");
}

/** Environment for children: without what would change how our own executable starts, and with English messages. */
export function childEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const path = process.env["PATH"] ?? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  return { PATH: path, LC_ALL: "C.UTF-8", ...extra };
}

/** In a helper's environment: the process that has started it. */
export const starterVariable = "GANTRY_STARTED_BY";

export function helperEnvironment(): Record<string, string> {
  return childEnvironment({ [starterVariable]: String(process.pid) });
}

/** Every Worker's file by name; scripts/build.ts compiles each as an entry point of its own. */
const workerFiles = {
  store: "drivers/metadata/worker.ts",
  logs: "drivers/log/worker.ts",
  senders: "drivers/log/forward/worker.ts",
  kernel: "os/worker.ts",
} as const;

export type WorkerName = keyof typeof workerFiles;

/** Starts one of our Workers. In the executable the entry points lie below one root with their folders kept. */
export function startWorker(name: WorkerName): Worker {
  if (!isMainThread) throw new Error("only the main thread starts Workers");
  const file = workerFiles[name];
  const url = isCompiled() ? `/$bunfs/root/${file.replace(/\.ts$/, ".js")}` : new URL(`../../${file}`, import.meta.url).href;
  return new Worker(url, { smol: true });
}
