import type { RuntimeNamespace, RuntimeSpec } from "#types/oci/runtime-spec.ts";

type Namespaces = RuntimeSpec["linux"]["namespaces"];

/** One namespace of a container: its own, the host's, or that of a process. */
export type NamespaceChoice = { readonly kind: "own" } | { readonly kind: "host" } | { readonly kind: "path"; readonly path: string };

/** Lists the namespaces for the runtime: one that is not listed is the host's. Source: OCI runtime-spec, config-linux.md, "Namespaces". */
export function toRuntimeNamespaces(choices: Readonly<Record<Exclude<RuntimeNamespace, "mount">, NamespaceChoice>>): Namespaces {
  const listed = Object.entries(choices).flatMap(([type, choice]) => {
    if (choice.kind === "host") return [];
    return [choice.kind === "own" ? { type: type as RuntimeNamespace } : { type: type as RuntimeNamespace, path: choice.path }];
  });
  return [{ type: "mount" }, ...listed];
}
