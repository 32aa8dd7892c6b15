/** Kills a process that leads a group, with all in it; success when nobody is left. */
export function terminateGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // has ended by itself
  }
}
