import { describe, expect, test } from "bun:test";
import { zeroTime } from "#lib/clock.ts";
import { applyChange, initialState, isRunning, type ContainerChange } from "./state.ts";

const process = { pid: 1, pidStartTicks: 2, monitorPid: 3, monitorStartTicks: 4 };
const started: ContainerChange[] = [{ type: "starting" }, { type: "start", process, at: "2026-01-01T00:00:00Z" }];
const ended: ContainerChange = { type: "exit", exitCode: 3, oomKilled: false, error: "", at: "2026-01-01T00:00:01Z" };
const after = (...changes: ContainerChange[]) => changes.reduce(applyChange, initialState);

describe("a container", () => {
  test("keeps its exit code and times after the end, until it is started again", () => {
    expect(after(...started, ended)).toMatchObject({ status: "exited", exitCode: 3, finishedAt: "2026-01-01T00:00:01Z" });
    expect(after(...started, ended, ...started)).toMatchObject({ status: "running", exitCode: 0, finishedAt: "2026-01-01T00:00:01Z" });
  });

  test("that never ran goes back to created when a start fails, with code and reason", () => {
    const failed = after({ type: "starting" }, { type: "start-failed", exitCode: 127, error: "no such program", at: "" });
    expect(failed).toMatchObject({ status: "created", exitCode: 127, error: "no such program", startedAt: zeroTime });
  });

  test("that survives a kill for want of memory keeps it in mind to its end, and no longer", () => {
    expect(after(...started, { type: "oom" })).toMatchObject({ status: "running", oomKilled: true });
    expect(after(...started, { type: "oom" }, ended)).toMatchObject({ status: "exited", oomKilled: true });
    expect(after(...started, { type: "oom" }, ended, ...started)).toMatchObject({ status: "running", oomKilled: false });
  });

  test("that is paused still runs", () => {
    expect(isRunning(after(...started, { type: "pause" }))).toBe(true);
    expect(after(...started, { type: "pause" }, { type: "unpause" }).status).toBe("running");
  });

  test.each([
    ["started twice", [...started, { type: "starting" }]],
    ["paused before it runs", [{ type: "pause" }]],
    ["removed while it runs", [...started, { type: "removing" }]],
    ["ended twice", [...started, ended, ended]],
  ] as [string, ContainerChange[]][])("cannot be %s", (_name, changes) => {
    expect(() => after(...changes)).toThrow("cannot apply");
  });
});
