import { EngineError, messageOf } from "#lib/errors.ts";
import type { ContainerUpdateRequest, HostConfig } from "#types/engine-api/index.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { validateCpuset } from "../cpuset.ts";
import { containerAttributes } from "../create.ts";
import type { ContainerDependencies } from "../dependencies.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { cgroupsPath } from "../spec/assemble.ts";
import { runtimeOf } from "../start.ts";
import { withoutImpossible } from "../possible-limits.ts";
import { isRunning } from "../state.ts";
import { validateUpdate } from "../validate.ts";
import { mergeUpdate } from "./merge.ts";
import { updatedResources } from "./resources.ts";

/** Changes limits and restart policy of containers, at once for those that run. One update at a time for each. */
export class ContainerUpdates {
  readonly #deps: ContainerDependencies;
  readonly #lifecycle: Lifecycle;

  constructor(deps: ContainerDependencies, lifecycle: Lifecycle) {
    this.#deps = deps;
    this.#lifecycle = lifecycle;
  }

  /**
   * On disk and in force when it resolves. What is refused changes nothing.
   * @returns warnings
   * @throws {EngineError} `invalid`, `not_found`, `conflict` with Docker's texts
   */
  async update(name: string, request: ContainerUpdateRequest): Promise<readonly string[]> {
    const { settings, containers } = this.#deps;
    const { possible, warnings } = withoutImpossible(request, settings.cgroups);
    validateUpdate(possible, settings.cgroups);
    validateCpuset("cpus", request.CpusetCpus ?? "", settings.cgroups.cpus);
    validateCpuset("mems", request.CpusetMems ?? "", settings.cgroups.mems);
    const { id } = containers.find(name);
    // A start that is under way has the limits of before: the new ones are set when it is done.
    await this.#lifecycle.exclusively(id, () => this.#apply(id, possible));
    return warnings;
  }

  async #apply(id: string, request: ContainerUpdateRequest): Promise<void> {
    const { containers, events } = this.#deps;
    try {
      const before = containers.get(id);
      if (before.state.status === "removing" || before.state.status === "dead")
        throw new EngineError("conflict", `container is marked for removal and cannot be "update"`);
      await this.#setLimits(before, mergeUpdate(before.hostConfig, request), request);
      try {
        await containers.update(id, (record) => ({ ...record, hostConfig: mergeUpdate(record.hostConfig, request) }));
      } catch (error) {
        await this.#restoreLimits(before, request);
        throw error;
      }
    } catch (error) {
      const kind = error instanceof EngineError ? error.kind : "internal";
      throw new EngineError(kind, `Cannot update container ${id}: ${messageOf(error)}`, { cause: error });
    }
    if (request.RestartPolicy?.Name === "no") await this.#lifecycle.cancelRestart(id);
    const record = containers.peek(id);
    if (record) events.emit("container", "update", id, containerAttributes(record));
  }

  async #setLimits(record: ContainerRecord, wanted: HostConfig, request: ContainerUpdateRequest): Promise<void> {
    const limits = updatedResources(wanted, request, this.#deps.settings.cgroups);
    if (!limits || !isRunning(record.state)) return;
    const runtime = runtimeOf(this.#deps, record);
    try {
      await runtime.setLimits(cgroupsPath(this.#deps, record), limits);
    } catch (error) {
      if (!runtime.alive(record.state.process).init) return; // has just ended: the next start has them
      await this.#restoreLimits(record, request); // some may have been set
      throw new EngineError("conflict", this.#reasonOf(error, record, request), { cause: error });
    }
  }

  /** The kernel says no more than "busy" when a limit is below what cannot be given back. */
  #reasonOf(error: unknown, record: ContainerRecord, request: ContainerUpdateRequest): string {
    const isBusy = error instanceof Error && "code" in error && error.code === "EBUSY";
    if (!request.Memory || !isBusy || !isRunning(record.state)) return messageOf(error);
    const memory = runtimeOf(this.#deps, record).usage(record.state.process, cgroupsPath(this.#deps, record))?.memory;
    if (!memory) return messageOf(error);
    const peak = memory.maximumUsageBytes ?? memory.usageBytes;
    return `unable to set memory limit to ${request.Memory} (current usage: ${memory.usageBytes}, peak usage: ${peak})`;
  }

  async #restoreLimits(before: ContainerRecord, request: ContainerUpdateRequest): Promise<void> {
    const limits = updatedResources(before.hostConfig, request, this.#deps.settings.cgroups);
    if (!limits || !isRunning(before.state)) return;
    try {
      await runtimeOf(this.#deps, before).setLimits(cgroupsPath(this.#deps, before), limits);
    } catch (error) {
      this.#deps.log.warn("limits of a container could not be restored", { container: before.id, error: messageOf(error) });
    }
  }
}
