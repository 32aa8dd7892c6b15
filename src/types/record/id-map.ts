/** Ids of a container that lie one after the other on the host as well. Source: user_namespaces(7), "User and group ID mappings". */
export interface IdRange {
  /** First id inside. */
  readonly containerId: number;
  /** First id on the host. */
  readonly hostId: number;
  readonly size: number;
}

/** Which ids of the host stand for the users and groups of a container with a user namespace. */
export interface IdMap {
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
}
