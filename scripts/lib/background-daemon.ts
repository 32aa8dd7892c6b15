import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, readlinkSync } from "node:fs";
import { dirname } from "node:path";
import { instancePaths } from "../../src/lib/instance.ts";
import { daemonArguments, type Place } from "./place.ts";

const startLimitMilliseconds = 30_000;
const stopLimitMilliseconds = 60_000;
const lookMilliseconds = 25;

/** True when a daemon answers at this place. */
export function answers(place: Place): Promise<boolean> {
  return fetch("http://gantry/_ping", { unix: place.socket, signal: AbortSignal.timeout(2000) }).then(
    (response) => response.ok,
    () => false,
  );
}

/** Pid of the daemon that runs at this place. A stale pid file may name anybody: the process must be a daemon. */
export function daemonPid(place: Place): number | undefined {
  try {
    const pid = Number(readFileSync(instancePaths(place).pidFile, "utf8"));
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("daemon") ? pid : undefined;
  } catch {
    return undefined; // it does not run
  }
}

/** True when the daemon runs a program that has been replaced since. */
export function isOutdated(pid: number): boolean {
  return readlinkSync(`/proc/${pid}/exe`).endsWith(" (deleted)");
}

/** Starts a daemon of its own session, whose log goes to a file, and waits until it answers. @throws with the end of its log */
export async function startInBackground(executable: string, place: Place): Promise<void> {
  mkdirSync(dirname(place.logFile), { recursive: true });
  const log = openSync(place.logFile, "a", 0o640);
  const { BUN_OPTIONS: _options, BUN_BE_BUN: _bun, ...environment } = process.env;
  const child = spawn(executable, ["daemon", ...daemonArguments(place)], {
    detached: true,
    cwd: "/",
    stdio: ["ignore", log, log],
    env: environment,
  });
  closeSync(log);
  let ended = false;
  child.once("exit", () => (ended = true));
  child.unref();
  await untilAnswers(place, () => ended);
}

/** @throws with the end of its log, when it does not answer in time or has ended */
export async function untilAnswers(place: Place, hasEnded: () => boolean = () => false): Promise<void> {
  for (const end = performance.now() + startLimitMilliseconds; performance.now() < end; await Bun.sleep(lookMilliseconds)) {
    if (await answers(place)) return;
    if (hasEnded()) break;
  }
  throw new Error(`the daemon does not answer at ${place.host}. The end of ${place.logFile}:\n${lastLines(place.logFile)}`);
}

/** SIGTERM, and waits for its end; containers stay. @returns false when none ran */
export async function stopInBackground(place: Place): Promise<boolean> {
  const pid = daemonPid(place);
  if (pid === undefined) return false;
  process.kill(pid, "SIGTERM");
  for (const end = performance.now() + stopLimitMilliseconds; performance.now() < end; await Bun.sleep(lookMilliseconds)) {
    if (daemonPid(place) !== pid) return true;
  }
  throw new Error(`the daemon (pid ${pid}) has not ended within a minute: see ${place.logFile}`);
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, "utf8").trim().split("\n").slice(-10).join("\n");
  } catch {
    return "(no log)";
  }
}
