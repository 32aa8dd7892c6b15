import { parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { ContainerMount } from "#types/record/container.ts";
import type { IdMap } from "#types/record/id-map.ts";
import type { ContainerDependencies } from "../dependencies.ts";

type Dependencies = Pick<ContainerDependencies, "attachSubpath" | "detach" | "snapshots">;

/** Mounts of a container with the paths where the host has them now. Dispose when the runtime has bound them: the container keeps what it has. */
export interface AttachedMounts extends AsyncDisposable {
  readonly mounts: readonly ContainerMount[];
}

/** A runtime can bind a path only: an image has none, and a part of a volume could be swapped for a link before it is bound. */
export function needsAttaching(mount: ContainerMount): boolean {
  return mount.type === "image" || mount.subpath !== undefined;
}

/**
 * Gives such mounts a path of their own, below `folder`.
 * @param idMap  of the container's user namespace: images are seen with its ids
 * @throws {EngineError} with Docker's texts; nothing is left then
 */
export async function attachMounts(
  deps: Dependencies,
  folder: string,
  mounts: readonly ContainerMount[],
  idMap: IdMap | undefined,
): Promise<AttachedMounts> {
  if (!mounts.some(needsAttaching)) return { mounts, [Symbol.asyncDispose]: () => Promise.resolve() };
  await using undo = new AsyncDisposableStack();
  undo.defer(() => deps.detach(folder));
  const attached: ContainerMount[] = [];
  for (const [index, mount] of mounts.entries())
    attached.push(
      needsAttaching(mount) ? { ...mount, source: await attach(deps, attachedPath(folder, index), { mount, idMap }, undo) } : mount,
    );
  const held = undo.move();
  return { mounts: attached, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

export function attachedPath(folder: string, index: number): string {
  return `${folder}/${index}`;
}

async function attach(
  deps: Dependencies,
  target: string,
  { mount, idMap }: { readonly mount: ContainerMount; readonly idMap: IdMap | undefined },
  undo: AsyncDisposableStack,
): Promise<string> {
  const root = mount.image ? await mountImage(deps, { layers: mount.image.layers.map(parseDigest), target, idMap }, undo) : mount.source;
  if (mount.subpath === undefined) return root;
  const place = `${target}.subpath`;
  undo.defer(() => deps.detach(place));
  try {
    await deps.attachSubpath(root, mount.subpath, place);
  } catch (error) {
    throw subpathError(root, mount.subpath, error);
  }
  return place;
}

async function mountImage(
  deps: Dependencies,
  { idMap, ...view }: { readonly layers: readonly Digest[]; readonly target: string; readonly idMap: IdMap | undefined },
  undo: AsyncDisposableStack,
): Promise<string> {
  const { target } = view;
  undo.defer(async () => {
    await deps.snapshots.unmount(target);
    await deps.detach(target);
  });
  await deps.snapshots.mountView({ ...view, ...(idMap && { idMap }) });
  return target;
}

function subpathError(base: string, subpath: string, error: unknown): EngineError {
  const path = `${base}/${subpath}`;
  const { code } = error as { readonly code?: unknown };
  switch (code) {
    case "ENOENT":
      return new EngineError("not_found", `cannot access path ${path}: lstat ${path}: no such file or directory`, { cause: error });
    case "EXDEV":
      return new EngineError("invalid", `path concatenation escapes the base directory, base: ${base}, subpath: ${subpath}`, {
        cause: error,
      });
    case "ELOOP":
      return new EngineError(
        "invalid",
        `error while resolving symlinks in combined path ${JSON.stringify(path)}: EvalSymlinks: too many links`,
        {
          cause: error,
        },
      );
    case "ENOTDIR":
      return new EngineError("invalid", `error while resolving symlinks in combined path ${JSON.stringify(path)}: not a directory`, {
        cause: error,
      });
    default:
      return new EngineError("internal", `cannot access path ${path}: ${messageOf(error)}`, { cause: error });
  }
}
