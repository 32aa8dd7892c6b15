import type { CdiRegistry } from "#drivers/cdi/registry.ts";
import { EngineError } from "#lib/errors.ts";
import type { DeviceRequest } from "#types/engine-api/index.ts";
import type { RuntimeSpec } from "#types/oci/runtime-spec.ts";

/**
 * Adds what a container asks for by name rather than by path. Only CDI devices can be had: GPUs by their capabilities need a runtime
 * of their vendor.
 * @throws {EngineError} `invalid` with Docker's texts
 */
export async function withRequestedDevices(cdi: CdiRegistry, requests: readonly DeviceRequest[], spec: RuntimeSpec): Promise<RuntimeSpec> {
  let all = spec;
  for (const request of requests) {
    const names = cdiNames(request);
    if (names.length > 0) all = await cdi.inject(all, names);
  }
  return all;
}

function cdiNames({ Driver: driver = "", Count, DeviceIDs, Capabilities, Options }: DeviceRequest): readonly string[] {
  if (driver !== "cdi") {
    const sets = (Capabilities ?? []).map((set) => `[${set.join(" ")}]`);
    throw new EngineError("invalid", `could not select device driver ${JSON.stringify(driver)} with capabilities: [${sets.join(" ")}]`);
  }
  if (Count) throw new EngineError("invalid", "unexpected count in CDI device request");
  if (Object.keys(Options ?? {}).length > 0) throw new EngineError("invalid", "unexpected options in CDI device request");
  return DeviceIDs ?? [];
}
