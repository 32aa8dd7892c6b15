import type { ContainerService } from "#engine/container/service.ts";
import { isRunning } from "#engine/container/state.ts";

export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

/** Containers made from an image. */
export function usersOf(containers: ContainerService, imageId: string): ImageUser[] {
  return containers
    .list()
    .filter((record) => record.imageId === imageId)
    .map((record) => ({ id: record.id, running: isRunning(record.state) }));
}

/** Who has it mounted as a volume: as in Docker they keep its last name, unless it is forced, and its layers anyway. */
export function mountUsersOf(containers: ContainerService, imageId: string): ImageUser[] {
  const users = containers.list().filter(({ mounts }) => mounts.some(({ image }) => image?.id === imageId));
  return users.map(({ id }) => ({ id, running: false }));
}
