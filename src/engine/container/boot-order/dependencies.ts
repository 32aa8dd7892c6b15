import type { ContainerRecord } from "#types/record/container.ts";
import { sharedOwner } from "../shared-mode.ts";

/** What must have happened to another container before one is started. */
export type Condition = "started" | "healthy" | "completed";

export interface Dependency {
  readonly id: string;
  readonly condition: Condition;
}

/** Container → those it depends on. Without cycles when made by `dependencyGraph`. */
export type DependencyGraph = ReadonlyMap<string, readonly Dependency[]>;

const labels = {
  dependsOn: "com.docker.compose.depends_on",
  project: "com.docker.compose.project",
  service: "com.docker.compose.service",
  oneOff: "com.docker.compose.oneoff",
};

const conditions: Readonly<Record<string, Condition>> = {
  service_started: "started",
  service_healthy: "healthy",
  service_completed_successfully: "completed",
};

/**
 * Who depends on whom: by the labels of compose v2, by links, and by namespaces that are another container's. Of a cycle, the edge that closes it is left
 * out: its containers are started all the same. Pure.
 */
export function dependencyGraph(records: readonly ContainerRecord[]): DependencyGraph {
  const services = new Map<string, string[]>();
  for (const { id, config } of records) {
    const key = serviceKey(config.Labels?.[labels.project], config.Labels?.[labels.service]);
    if (key === undefined || config.Labels?.[labels.oneOff] === "True") continue;
    services.set(key, [...(services.get(key) ?? []), id]);
  }
  const known = new Set(records.map(({ id }) => id));
  const graph = new Map(
    records.map((record) => {
      const all = [...ofLabels(record, services), ...ofNamespaces(record), ...ofLinks(record)];
      return [record.id, all.filter(({ id }) => id !== record.id && known.has(id))] as const;
    }),
  );
  return withoutCycles(graph);
}

/** The same edges, from the one that is depended on to those that depend on it. */
export function dependentsOf(graph: DependencyGraph): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>();
  for (const [id, dependencies] of graph)
    for (const dependency of dependencies) dependents.set(dependency.id, [...(dependents.get(dependency.id) ?? []), id]);
  return dependents;
}

function serviceKey(project: string | undefined, service: string | undefined): string | undefined {
  return project && service ? `${project}/${service}` : undefined;
}

/** `db:service_healthy:false,cache:service_started:true`; the third part is about restarts by compose. Source: docker/compose, labels. */
function ofLabels({ config }: ContainerRecord, services: ReadonlyMap<string, readonly string[]>): Dependency[] {
  const project = config.Labels?.[labels.project];
  const entries = (config.Labels?.[labels.dependsOn] ?? "").split(",").filter(Boolean);
  return entries.flatMap((entry) => {
    const [service, condition = ""] = entry.trim().split(":");
    const ids = services.get(serviceKey(project, service) ?? "") ?? [];
    return ids.map((id) => ({ id, condition: conditions[condition] ?? "started" }));
  });
}

function ofNamespaces({ hostConfig }: ContainerRecord): Dependency[] {
  const owners = [hostConfig.NetworkMode, hostConfig.IpcMode, hostConfig.PidMode].map((mode) => sharedOwner(mode ?? ""));
  return owners.flatMap((id) => (id === undefined ? [] : [{ id, condition: "started" as const }]));
}

function ofLinks({ links = [] }: ContainerRecord): Dependency[] {
  return links.map(({ containerId }) => ({ id: containerId, condition: "started" as const }));
}

function withoutCycles(graph: DependencyGraph): DependencyGraph {
  const result = new Map<string, readonly Dependency[]>();
  const path = new Set<string>();
  const visit = (id: string): void => {
    if (result.has(id)) return;
    path.add(id);
    const kept = (graph.get(id) ?? []).filter((dependency) => {
      if (path.has(dependency.id)) return false;
      visit(dependency.id);
      return true;
    });
    path.delete(id);
    result.set(id, kept);
  };
  for (const id of graph.keys()) visit(id);
  return result;
}
