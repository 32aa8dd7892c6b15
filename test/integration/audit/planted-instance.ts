import { Database } from "bun:sqlite";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrations, type TableName } from "../../../src/drivers/metadata/schema.ts";
import { auditInstance } from "../../../src/helper/audit/audit.ts";
import { instanceOf, instancePaths } from "../../../src/lib/instance.ts";
import { cgroupHierarchies, removeCgroup } from "../../../src/os/cgroup.ts";
import { readMounts } from "../../../src/os/mount.ts";
import type { ContainerRecord } from "../../../src/types/record/container.ts";
import type { NetworkRecord } from "../../../src/types/record/network.ts";

export type PlantedInstance = ReturnType<typeof plantInstance>;

/** An instance without a daemon: a database written by hand, and whatever a test puts beside it. Disposal takes all of it away again. */
export function plantInstance() {
  const dataRoot = mkdtempSync(join(tmpdir(), "gantry-audit-"));
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(2))).toString("hex");
  const execRoot = `/run/gantry-audit-${process.pid}-${id}`;
  const instance = instanceOf(id, dataRoot, execRoot);
  const paths = instancePaths(instance);
  mkdirSync(execRoot, { recursive: true });
  writeFileSync(`${dataRoot}/instance-id`, `${id}\n`);
  const database = new Database(paths.database);
  database.run("PRAGMA journal_mode = WAL");
  for (const migration of migrations) database.run(migration);
  database.run(`PRAGMA user_version = ${migrations.length}`);
  const children: Bun.Subprocess[] = [];
  const loopDevices: string[] = [];
  return {
    instance,
    paths,
    put: (table: TableName, key: string, record: unknown): void =>
      void database.run(`INSERT OR REPLACE INTO ${table} VALUES (?, ?)`, [
        key,
        typeof record === "string" ? record : JSON.stringify(record),
      ]),
    file(path: string, content = ""): void {
      mkdirSync(join(path, ".."), { recursive: true });
      writeFileSync(path, content);
    },
    folder: (path: string): void => void mkdirSync(path, { recursive: true }),
    tmpfs(target: string): void {
      mkdirSync(target, { recursive: true });
      run("mount", "-t", "tmpfs", "planted", target);
    },
    /** @returns the device that the file is attached to */
    loopDevice(file: string): string {
      const { stdout } = Bun.spawnSync(["losetup", "--find", "--show", file]);
      const device = stdout.toString().trim();
      loopDevices.push(device);
      return device;
    },
    bridge: (name: string): void => run("ip", "link", "add", name, "type", "bridge"),
    nft: (command: string): void => run("nft", command),
    cgroup(name: string): string {
      const path = `${cgroupHierarchies()[0]?.path}/${instance.cgroupParent}/${name}`;
      mkdirSync(path, { recursive: true });
      return path;
    },
    /** A process that looks like one of the runtime's. */
    program(name: string, ...args: readonly string[]): number {
      const child = Bun.spawn(["sh", "-c", "read line", ...args], { argv0: name, stdin: "pipe" });
      children.push(child);
      // The new program is there a moment before its arguments are (execve(2) wakes the parent in between).
      while (child.exitCode === null && readFileSync(`/proc/${child.pid}/cmdline`).length === 0) Bun.sleepSync(1);
      return child.pid;
    },
    audit: (deep = false) => auditInstance({ dataRoot, execRoot, deep, patienceMilliseconds: 60 }),
    [Symbol.dispose](): void {
      for (const child of children) child.kill("SIGKILL");
      database.close();
      for (const { target } of readMounts().reverse())
        if (target.startsWith(`${dataRoot}/`) || target.startsWith(`${execRoot}/`)) Bun.spawnSync(["umount", "-l", target]);
      for (const device of loopDevices) Bun.spawnSync(["losetup", "--detach", device]);
      const links = Bun.spawnSync(["ip", "-o", "link"]).stdout.toString();
      for (const [, name] of links.matchAll(/^\d+: ([^:@]+)/gm))
        if (name && (name.startsWith(instance.linkPrefix) || name === instance.defaultBridge)) Bun.spawnSync(["ip", "link", "del", name]);
      Bun.spawnSync(["nft", "delete", "table", "inet", instance.nftTable], { stderr: "ignore" });
      removeCgroup(`/${instance.cgroupParent}`);
      for (const root of [dataRoot, execRoot]) rmSync(root, { recursive: true, force: true });
    },
  };
}

function run(...command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command]);
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}

/** Only what the auditor looks at; the record has many more fields. */
export function containerRecord(id: string, fields: Partial<ContainerRecord>): ContainerRecord {
  const never = "0001-01-01T00:00:00Z";
  const state = { status: "created", exitCode: 0, oomKilled: false, error: "", startedAt: never, finishedAt: never } as const;
  return { id, name: `planted-${id.slice(0, 8)}`, hostConfig: {}, mounts: [], layers: [], state, ...fields } as unknown as ContainerRecord;
}

export const runningState = {
  status: "running",
  exitCode: 0,
  oomKilled: false,
  error: "",
  startedAt: "2026-01-01T00:00:00Z",
  finishedAt: "0001-01-01T00:00:00Z",
  // No process has these start ticks.
  process: { pid: 1, pidStartTicks: 1, monitorPid: 2, monitorStartTicks: 1 },
} as const;

export function networkRecord(id: string, bridge: string): NetworkRecord {
  const subnets = [{ family: 4, subnet: "192.0.2.0/24", gateway: "192.0.2.1", auxiliary: {} }];
  const config = { id, name: "planted", driver: "bridge", bridge, subnets, internal: false, interContainer: true, masquerade: true };
  return { config } as unknown as NetworkRecord;
}
