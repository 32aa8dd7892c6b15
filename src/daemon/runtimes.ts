import { mkdirSync, writeFileSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import type { Instance } from "#lib/instance.ts";
import { instancePaths } from "#lib/instance.ts";
import type { Logger } from "#lib/log.ts";
import { floorOf, missingFixes } from "#drivers/runtime/fixes.ts";
import { OciRuntime } from "#drivers/runtime/oci-runtime.ts";
import { SeccompCache } from "#drivers/runtime/seccomp/cache.ts";
import type { RuntimeDriver } from "#drivers/runtime/types.ts";
import { cgroupMode, type CgroupHierarchy } from "#os/cgroup.ts";
import type { Kernel } from "#os/kernel.ts";
import { readMounts } from "#os/mount.ts";
import { childEnvironment } from "#os/process/self.ts";
import { checkpointRefusal, runtimeForCheckpoints } from "./checkpoint-runtime.ts";

export interface ProgramVersion {
  readonly name: string;
  readonly path: string;
  readonly version: string;
  readonly commit: string;
  /** What it says it has: `+CRIU` of crun. */
  readonly builtWith: readonly string[];
}

export interface Runtimes {
  readonly drivers: ReadonlyMap<string, RuntimeDriver & { close(): void }>;
  readonly defaultName: string;
  /** What a runtime says of itself, JSON, by its name; none for one that is too old to tell. */
  readonly features: ReadonlyMap<string, string>;
  readonly runtime: ProgramVersion;
  readonly monitor: ProgramVersion;
  readonly warnings: readonly string[];
}

/** Finds conmon and the runtimes of this host and chooses one. @throws {EngineError} `unavailable` saying what to install */
export async function openRuntimes(
  instance: Instance,
  options: {
    readonly wanted: string | undefined;
    /** Checkpoints are offered. */
    readonly experimental: boolean;
    readonly hierarchies: readonly CgroupHierarchy[];
    readonly kernel: Kernel;
    readonly log: Logger;
  },
): Promise<Runtimes> {
  const [conmon, crun, runc] = await Promise.all(["conmon", "crun", "runc"].map(findProgram));
  if (!conmon)
    throw new EngineError("unavailable", "conmon was not found: install it with 'apt-get install conmon', or run 'gantry doctor --fix'");
  const warnings: string[] = [];
  const blocked = crunRefusal(options.hierarchies);
  const mayChoose = options.wanted === undefined && options.experimental;
  const preferred = mayChoose ? await runtimeForCheckpoints(crun, runc) : undefined;
  const choice = chooseRuntime(options.wanted ?? preferred, crun, runc, blocked);
  if (preferred !== undefined) options.log.info("default runtime chosen for checkpoints", { runtime: preferred });
  if (blocked !== undefined && choice.name === "runc") warnings.push(blocked);
  warnings.push(...[crun, runc].flatMap((program) => (program ? oldRuntimeWarnings(program) : [])));
  for (const warning of warnings) options.log.warn(warning);
  const drivers = new Map<string, OciRuntime>();
  const paths = instancePaths(instance);
  for (const program of [crun, runc]) {
    if (!program) continue;
    const family = program.name === "crun" ? "crun" : "runc";
    const cache = family === "crun" ? new SeccompCache(`${instance.dataRoot}/seccomp`, program.version) : undefined;
    await cache?.load();
    const refusal = checkpointRefusal(program);
    drivers.set(
      program.name,
      new OciRuntime({
        name: program.name,
        family,
        command: {
          path: family === "crun" ? await readOnlyCopy(instance, program.path, options.kernel) : program.path,
          rootFolder: `${paths.runtimeState}/${program.name}`,
          environment: family === "crun" ? clonedEnvironment : {},
        },
        conmonPath: conmon.path,
        exitFolder: `${paths.exits}/${program.name}`,
        hierarchies: options.hierarchies,
        kernel: options.kernel,
        ...(cache && { seccompCache: cache }),
        ...(refusal !== undefined && { checkpointRefusal: refusal }),
        log: options.log,
      }),
    );
  }
  const features = await featuresOf([crun, runc].filter((program) => program !== undefined));
  return { drivers, defaultName: choice.name, features, runtime: choice, monitor: conmon, warnings };
}

/** Told, never refused: a host whose distribution is late must still run its containers (D10). */
function oldRuntimeWarnings({ name, version }: ProgramVersion): string[] {
  const family = name === "crun" ? "crun" : "runc";
  const open = missingFixes(family, version);
  if (open.length === 0) return [];
  return [`WARNING: ${name} ${version} is older than ${floorOf(family)} and lacks the fix of ${open.join(", ")}: update it`];
}

/** Source: OCI runtime-spec, features.md. */
async function featuresOf(programs: readonly ProgramVersion[]): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(programs.map(async ({ name, path }) => [name, await readFeatures(path)] as const));
  return new Map(found.flatMap(([name, features]) => (features === undefined ? [] : [[name, features] as const])));
}

async function readFeatures(path: string): Promise<string | undefined> {
  const child = Bun.spawn([path, "features"], { stdio: ["ignore", "pipe", "ignore"], env: childEnvironment() });
  const [text, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  if (code !== 0) return undefined;
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return undefined; // a runtime before the command, which prints its help
  }
}

/** crun then does not bind and execute itself anew at each call (CVE-2019-5736): the mount it would make is there. */
const clonedEnvironment = { _LIBCONTAINER_CLONED_BINARY: "1" };

/** A read-only bind mount of crun's program, made once: saves a mount, an umount and a second load of it at each create. */
async function readOnlyCopy(instance: Instance, program: string, kernel: Kernel): Promise<string> {
  const target = `${instance.execRoot}/crun`;
  if (readMounts().some((mount) => mount.target === target)) return target;
  mkdirSync(instance.execRoot, { recursive: true, mode: 0o711 });
  writeFileSync(target, "");
  await kernel.run({ type: "bind-mount", source: program, target, readOnly: true });
  return target;
}

/** Why crun would refuse every container here; undefined when it would not. */
export function crunRefusal(hierarchies: readonly CgroupHierarchy[]): string | undefined {
  if (cgroupMode(hierarchies) !== "hybrid") return undefined;
  const left = hierarchies.filter((hierarchy) => hierarchy.version === 2).flatMap((hierarchy) => hierarchy.controllers);
  if (left.length === 0) return undefined;
  return `crun refuses to run while a cgroup controller is left on v2 of a hybrid host (${left.join(", ")}): runc is used, which is slower. 'gantry doctor --fix' mounts it as v1.`;
}

function chooseRuntime(
  wanted: string | undefined,
  crun: ProgramVersion | undefined,
  runc: ProgramVersion | undefined,
  blocked: string | undefined,
): ProgramVersion {
  if (wanted !== undefined) {
    const named = wanted === "crun" ? crun : wanted === "runc" ? runc : undefined;
    if (!named)
      throw new EngineError(
        "unavailable",
        `the runtime ${JSON.stringify(wanted)} was not found: install it, or leave --default-runtime out`,
      );
    return named;
  }
  const choice = crun && blocked === undefined ? crun : (runc ?? crun);
  if (!choice)
    throw new EngineError(
      "unavailable",
      "neither crun nor runc was found: install one with 'apt-get install crun', or run 'gantry doctor --fix'",
    );
  if (choice === crun && blocked !== undefined)
    throw new EngineError("unavailable", `${blocked} But runc is not installed: 'apt-get install runc'.`);
  return choice;
}

/** A program of the PATH with its version; undefined when it is missing. */
export async function findProgram(name: string): Promise<ProgramVersion | undefined> {
  const path = Bun.which(name, { PATH: childEnvironment()["PATH"] ?? "" });
  if (path === null) return undefined;
  const child = Bun.spawn([path, "--version"], { stdio: ["ignore", "pipe", "ignore"], env: childEnvironment() });
  const [text] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return {
    name,
    path,
    version: /version\s+v?(\S+)/.exec(text)?.[1] ?? "unknown",
    commit: /commit:\s*(\S+)/.exec(text)?.[1] ?? "",
    builtWith: [...text.matchAll(/(?<=^|\s)\+(\w+)/g)].map(([, word = ""]) => word),
  };
}
