import type { ErofsLayer } from "./erofs-layer.ts";
import type { MountCall } from "./mount.ts";
import type { ProjectRange } from "./project-quota.ts";

/** Work for the kernel worker: calls that may wait. Each is answered once. */
export type KernelTask =
  | { readonly type: "umount"; readonly target: string }
  /** RTM_DELLINK, which waits for a grace period (about 30 ms); a link that is gone is a success. */
  | { readonly type: "remove-link"; readonly name: string }
  /** Removes a tree; one that is gone is a success. */
  | { readonly type: "remove-tree"; readonly path: string }
  /** rmdir of a cgroup in every hierarchy, children first; retried while the kernel still sees processes. */
  | { readonly type: "remove-cgroup"; readonly path: string }
  /** Mount of one read-only EROFS layer. */
  | ({ readonly type: "mount-erofs" } & ErofsLayer)
  /** The same in place of one that is mounted there: who has that one goes on with it. */
  | ({ readonly type: "replace-erofs" } & ErofsLayer)
  /** Mount of a file with a file system, through a loop device. */
  | { readonly type: "mount-file"; readonly file: string; readonly target: string; readonly fileSystem: string; readonly options: string }
  | { readonly type: "bind-mount"; readonly source: string; readonly target: string; readonly readOnly: boolean }
  /** mount(2), and the propagation afterwards. */
  | ({ readonly type: "mount" } & MountCall)
  /** Attaches what is at a path below `root`, a folder or a file, at `target`, which is made. */
  | { readonly type: "attach-subpath"; readonly root: string; readonly path: string; readonly target: string }
  /** Unmounts, and removes the empty folder or file below; success when there is neither. */
  | { readonly type: "detach"; readonly target: string }
  /** Gives a folder to a project of the file system, with a limit. */
  | { readonly type: "limit-folder"; readonly folder: string; readonly projectId: number; readonly sizeBytes: number }
  /** Lifts the limit of the project that a folder has; success when it has none of these. */
  | { readonly type: "release-folder"; readonly folder: string; readonly projects: ProjectRange }
  /** EEXIST when the file system of a folder knows something of the project. */
  | { readonly type: "refuse-used-project"; readonly folder: string; readonly projectId: number }
  /** An error whose message is why folders below this one cannot be limited. */
  | { readonly type: "probe-project-quota"; readonly folder: string; readonly projectId: number }
  /**
   * Moves of this process to the cgroup where it is, with pauses between them, for some time: a real move meanwhile does not wait for a
   * grace period (run-path: −11 to −15 ms).
   */
  | { readonly type: "warm-cgroup"; readonly procsFile: string; readonly milliseconds: number; readonly pauseMilliseconds: number };

export interface KernelRequest {
  readonly sequence: number;
  readonly task: KernelTask;
}

export interface KernelReply {
  readonly sequence: number;
  readonly error?: { readonly message: string; readonly code?: string };
}
