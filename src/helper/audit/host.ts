import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { AuditFailure } from "./failure.ts";

/** Names in a folder; none when it is not there. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw error;
  }
}

/** True for a path inside a folder, not for the folder itself. */
export const isBelow = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** R, S, D, Z …: proc_pid_stat(5). */
  readonly state: string;
  readonly startTicks: number;
  readonly argv: readonly string[];
}

/** Every process of this host. */
export function readProcesses(): Process[] {
  return namesIn("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? []);
}

function readProcess(pid: number): Process | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The program's name stands in parentheses and may hold any character.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const argv = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").slice(0, -1);
    return { pid, parent: Number(fields[1]), state: fields[0] ?? "", startTicks: Number(fields[19]), argv };
  } catch {
    return undefined; // has ended
  }
}

/** Paths of the files that a process holds open. */
export function openFiles(pid: number): string[] {
  return namesIn(`/proc/${pid}/fd`).flatMap((descriptor) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
    } catch {
      return []; // closed meanwhile
    }
  });
}

/** Output of a host tool that prints JSON. @throws {AuditFailure} when it is missing or fails */
export async function readJson(command: readonly string[], packageName: string): Promise<unknown> {
  const [program = ""] = command;
  const path = Bun.which(program, { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` });
  if (path === null) throw new AuditFailure(`${program} was not found: apt-get install ${packageName}`);
  const child = Bun.spawn([path, ...command.slice(1)], { stdio: ["ignore", "pipe", "pipe"], env: { LC_ALL: "C.UTF-8" } });
  const [text, complaint, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new AuditFailure(`${command.join(" ")}: ${complaint.trim()}`);
  return text.trim() === "" ? [] : JSON.parse(text);
}
