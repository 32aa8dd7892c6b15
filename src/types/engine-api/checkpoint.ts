/** Body of a checkpoint's creation, which the API's file does not have: dockerd offers it with its experimental features alone. */
export interface CheckpointCreateRequest {
  readonly CheckpointID?: string;
  /** Folder of the host that holds checkpoints of several containers; empty: the container's own. */
  readonly CheckpointDir?: string;
  /** The container ends when it is written down. */
  readonly Exit?: boolean;
}
