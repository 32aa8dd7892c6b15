import { readdir, readFile } from "node:fs/promises";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { RuntimeSpec } from "#types/oci/runtime-spec.ts";
import { applyEdits } from "./edits.ts";
import { parseCdiSpec, type CdiSpec, type ContainerEdits } from "./spec-file.ts";

export interface CdiDevices {
  /** By qualified name, `vendor/class=name`, sorted. */
  readonly devices: ReadonlyMap<string, CdiDevice>;
  /** What is wrong with files. */
  readonly warnings: readonly string[];
}

interface CdiDevice {
  readonly spec: CdiSpec;
  readonly edits: ContainerEdits;
}

/** Devices that vendors describe in files: what a container needs to use them. The files are read when somebody asks. */
export class CdiRegistry {
  /** In rising order of precedence. */
  readonly folders: readonly string[];

  constructor(folders: readonly string[]) {
    this.folders = folders;
  }

  async list(): Promise<CdiDevices> {
    const devices = new Map<string, CdiDevice>();
    const warnings: string[] = [];
    for (const folder of this.folders) {
      const found = await readFolder(folder, warnings);
      for (const name of found.ambiguous) devices.delete(name); // nobody can say which is meant
      for (const [name, device] of found.devices) devices.set(name, device);
    }
    return { devices: new Map([...devices].toSorted(([one], [other]) => (one < other ? -1 : 1))), warnings };
  }

  /**
   * A runtime configuration with devices. What a file says for all its devices is applied once, before its first device.
   * @throws {EngineError} `invalid` with Docker's text for a name that is not there, or a device that the host does not have
   */
  async inject(spec: RuntimeSpec, names: readonly string[]): Promise<RuntimeSpec> {
    const { devices } = await this.list();
    const missing = names.filter((name) => !devices.has(name));
    if (missing.length > 0) throw new EngineError("invalid", `CDI device injection failed: unresolvable CDI devices ${missing.join(", ")}`);
    const wanted = names.map((name) => devices.get(name)).filter((device) => device !== undefined);
    const edits = wanted.flatMap((device, index) => {
      const isFirst = wanted.findIndex((other) => other.spec === device.spec) === index;
      return isFirst ? [device.spec.edits, device.edits] : [device.edits];
    });
    try {
      return applyEdits(spec, edits);
    } catch (error) {
      throw new EngineError("invalid", `CDI device injection failed: failed to inject devices: ${messageOf(error)}`, { cause: error });
    }
  }
}

/** Devices of one folder. Two files of the same precedence that have the same device contradict each other. */
async function readFolder(
  folder: string,
  warnings: string[],
): Promise<{ readonly devices: ReadonlyMap<string, CdiDevice>; readonly ambiguous: ReadonlySet<string> }> {
  const devices = new Map<string, CdiDevice>();
  const ambiguous = new Set<string>();
  const files = await readdir(folder).catch(() => []); // most hosts have none
  for (const file of files.filter((name) => /\.(json|yaml)$/.test(name)).toSorted()) {
    const path = `${folder}/${file}`;
    try {
      const spec = parseCdiSpec(await parseFile(path));
      for (const [name, edits] of spec.devices) {
        const qualified = `${spec.kind}=${name}`;
        if (devices.has(qualified)) ambiguous.add(qualified);
        devices.set(qualified, { spec, edits });
      }
    } catch (error) {
      warnings.push(`CDI: Error associated with spec file ${path}: failed to load CDI Spec ${messageOf(error)}`);
    }
  }
  for (const name of ambiguous) devices.delete(name);
  return { devices, ambiguous };
}

async function parseFile(path: string): Promise<unknown> {
  const content = await readFile(path, "utf8");
  if (path.endsWith(".json")) return JSON.parse(content);
  // Loaded by those who have such a file.
  const { parse } = await import("yaml");
  return parse(content);
}
