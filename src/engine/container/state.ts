import { EngineError } from "#lib/errors.ts";
import { zeroTime } from "#lib/clock.ts";
import type { ContainerHistory, ContainerRecord, ContainerProcess, ContainerState } from "#types/record/container.ts";

export type ContainerChange =
  | { readonly type: "starting" }
  | { readonly type: "start"; readonly process: ContainerProcess; readonly at: string }
  /** It could not be started: back to where it was, with the reason. */
  | { readonly type: "start-failed"; readonly exitCode: number; readonly error: string; readonly at: string }
  | { readonly type: "pause" | "unpause" }
  /** A process of it was killed for want of memory; it may live on. */
  | { readonly type: "oom" }
  | { readonly type: "exit"; readonly exitCode: number; readonly oomKilled: boolean; readonly error: string; readonly at: string }
  /** Ended, and the restart policy waits to start it again. */
  | { readonly type: "restarting" }
  | { readonly type: "restart-cancelled" }
  | { readonly type: "removing" }
  /** A removal failed half-way: it can only be removed again. */
  | { readonly type: "dead"; readonly error: string };

export const initialState: ContainerState = {
  status: "created",
  exitCode: 0,
  oomKilled: false,
  error: "",
  startedAt: zeroTime,
  finishedAt: zeroTime,
};

/** A container's life on one screen. Pure: no clock, disk or process. @throws {EngineError} `conflict` for a change that cannot happen */
export function applyChange(state: ContainerState, change: ContainerChange): ContainerState {
  const history = historyOf(state);
  switch (change.type) {
    case "starting":
      if (canStart(state)) return { ...history, status: "starting" };
      break;
    case "start":
      if (state.status === "starting") {
        return { ...history, status: "running", process: change.process, exitCode: 0, oomKilled: false, error: "", startedAt: change.at };
      }
      break;
    case "start-failed":
      if (state.status === "starting") {
        const status = state.startedAt === zeroTime ? "created" : "exited";
        return { ...history, status, exitCode: change.exitCode, error: change.error };
      }
      break;
    case "pause":
      if (state.status === "running") return { ...state, status: "paused" };
      break;
    case "unpause":
      if (state.status === "paused") return { ...state, status: "running" };
      break;
    case "oom":
      if (isRunning(state)) return { ...state, oomKilled: true };
      break;
    case "exit":
      if (isRunning(state)) {
        const { exitCode, oomKilled, error, at } = change;
        return { ...history, status: "exited", exitCode, oomKilled: oomKilled || history.oomKilled, error, finishedAt: at };
      }
      break;
    case "restarting":
      if (state.status === "exited") return { ...history, status: "restarting" };
      break;
    case "restart-cancelled":
      if (state.status === "restarting") return { ...history, status: "exited" };
      break;
    case "removing":
      if (!isRunning(state) && state.status !== "starting") return { ...history, status: "removing" };
      break;
    case "dead":
      if (state.status === "removing") return { ...history, status: "dead", error: change.error };
      break;
  }
  throw new EngineError("conflict", `cannot apply ${change.type} to a container that is ${state.status}`);
}

/** True while there is a process: running or paused. */
export function isRunning(state: ContainerState): state is Extract<ContainerState, { status: "running" | "paused" }> {
  return state.status === "running" || state.status === "paused";
}

function canStart(state: ContainerState): boolean {
  return state.status === "created" || state.status === "exited" || state.status === "restarting";
}

function historyOf(state: ContainerState): ContainerHistory {
  const { exitCode, oomKilled, error, startedAt, finishedAt } = state;
  return { exitCode, oomKilled, error, startedAt, finishedAt };
}

/** It has run at least once. */
export function wasStarted(state: ContainerState): boolean {
  return state.startedAt !== zeroTime;
}

/** It has run, or a start of it has failed: what a start makes is known. */
export function wasTried(state: ContainerState): boolean {
  return wasStarted(state) || state.error !== "";
}

/** What is told of a state: one that is just starting is what it was before. */
export function shownStatus({
  state,
  restartCount,
}: Pick<ContainerRecord, "state" | "restartCount">): Exclude<ContainerState["status"], "starting"> {
  if (state.status !== "starting") return state.status;
  if (restartCount > 0) return "restarting"; // a start that was asked for begins to count anew
  return wasStarted(state) ? "exited" : "created";
}
