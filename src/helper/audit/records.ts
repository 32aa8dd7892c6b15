import { Database } from "bun:sqlite";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { migrations, tables, type TableName } from "#drivers/metadata/schema.ts";
import { messageOf } from "#lib/errors.ts";
import { instanceOf, instancePaths, type Instance } from "#lib/instance.ts";
import type { ContainerProcess, ContainerRecord } from "#types/record/container.ts";
import type { ImageRecord, ImageReferenceRecord } from "#types/record/image.ts";
import type { NetworkRecord } from "#types/record/network.ts";
import type { VolumeRecord } from "#types/record/volume.ts";
import { AuditFailure } from "./failure.ts";
import type { Finding } from "./difference.ts";

export type LiveContainer = ContainerRecord & { readonly state: { readonly process: ContainerProcess } };

/** What one consistent reading of the database says. */
export interface Records {
  readonly instance: Instance;
  readonly paths: ReturnType<typeof instancePaths>;
  readonly containers: ReadonlyMap<string, ContainerRecord>;
  /** Containers with processes. */
  readonly live: readonly LiveContainer[];
  readonly networks: ReadonlyMap<string, NetworkRecord>;
  readonly volumes: ReadonlyMap<string, VolumeRecord>;
  readonly images: ReadonlyMap<string, ImageRecord>;
  readonly references: ReadonlyMap<string, ImageReferenceRecord>;
  /** Rows that are no JSON. */
  readonly damaged: readonly Finding[];
  /** Text of a container's or network's record: another one means that it has changed. */
  versionOf(owner: string): string | undefined;
  /** True when things of a run may be there: it runs, is being started, or was made ready for a start that may come. */
  mayRun(containerId: string): boolean;
}

interface Row {
  readonly key: string;
  readonly body: string;
}

/**
 * Reads the records beside a daemon that may be writing: one read transaction of the write-ahead log.
 * @throws {AuditFailure} when there is no instance here, or its database cannot be read
 */
export function readRecords(dataRoot: string, execRoot: string): Records {
  const paths = instancePaths({ dataRoot, execRoot });
  if (!existsSync(paths.database)) throw new AuditFailure(`${dataRoot} holds no instance: ${paths.database} is missing`);
  const instance = instanceOf(readInstanceId(dataRoot), dataRoot, execRoot);
  const rows = readRows(paths.database);
  const damaged: Finding[] = [];
  const parse = <R>(table: TableName): Map<string, R> => {
    const parsed = new Map<string, R>();
    for (const { key, body } of rows.get(table) ?? []) {
      try {
        parsed.set(key, JSON.parse(body) as R); // written by the engine, as the record types say
      } catch {
        damaged.push({ kind: "record", subject: `${table} ${key}`, message: "is damaged, should be JSON" });
      }
    }
    return parsed;
  };
  const containers = parse<ContainerRecord>("container");
  const networks = parse<NetworkRecord>("network");
  const bodies = new Map([...(rows.get("container") ?? []), ...(rows.get("network") ?? [])].map(({ key, body }) => [key, body]));
  return {
    ...{ instance, paths, containers, networks, damaged },
    live: [...containers.values()].filter((record): record is LiveContainer => "process" in record.state),
    volumes: parse("volume"),
    images: parse("image"),
    references: parse("image_reference"),
    versionOf: (owner) => bodies.get(owner),
    mayRun: (id) => ["running", "paused", "starting"].includes(containers.get(id)?.state.status ?? "") || isMadeReady(id, paths),
  };
}

/** A monitor waits for the configuration of this container, which may not have been asked for yet (`AwaitedConfiguration`), or a first process for its start. */
function isMadeReady(id: string, paths: Records["paths"]): boolean {
  if (!/^[0-9a-f]{64}$/.test(id)) return false;
  try {
    if (statSync(`${paths.container(id).bundle}/config.json`).isFIFO()) return true;
    return readdirSync(paths.runtimeState).some((runtime) => existsSync(`${paths.runtimeState}/${runtime}/${id}/exec.fifo`));
  } catch {
    return false;
  }
}

function readInstanceId(dataRoot: string): string {
  const file = `${dataRoot}/instance-id`;
  try {
    const id = readFileSync(file, "utf8").trim();
    if (/^[0-9a-f]{4}$/.test(id)) return id;
  } catch (error) {
    throw new AuditFailure(`cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
  throw new AuditFailure(`${file} holds no instance id: four hex digits are expected`);
}

function readRows(file: string): Map<TableName, Row[]> {
  try {
    using database = new Database(file, { readonly: true });
    database.run("PRAGMA busy_timeout = 5000");
    const { user_version: version } = database.query("PRAGMA user_version").get() as { user_version: number };
    if (version > migrations.length)
      throw new AuditFailure(`${file} has schema ${version}, this program knows ${migrations.length}: use the newer one`);
    const readAll = database.transaction(() =>
      tables.map((table) => [table, database.query(`SELECT key, body FROM ${table}`).all() as Row[]] as const),
    );
    return new Map(readAll());
  } catch (error) {
    if (error instanceof AuditFailure) throw error;
    throw new AuditFailure(`cannot read the database ${file}: ${messageOf(error)}`, { cause: error });
  }
}
