import type { ServerVersion } from "#client/shapes.ts";
import { Row } from "../format/values.ts";
import { goStruct } from "../inspect/go-types.ts";
import type { Output } from "../output.ts";
import { builtAt } from "./built-at.ts";
import { printObject } from "./print-object.ts";
import type { ClientFields } from "./version.ts";

/** Both versions by `--format`. */
export async function printVersions(client: ClientFields, server: ServerVersion | undefined, format: string, out: Output): Promise<void> {
  const versions = { Client: client, Server: server ? serverFields(server) : null };
  await printObject(versions, format, { name: "version", goType: "system.versionInfo" }, out);
}

/** The struct of Docker's client, with the name that its templates give to the API's version. */
function serverFields(server: ServerVersion): Row {
  const Components = server.Components?.map((one) => (one.Name === "Engine" ? { ...one, Details: withBuiltAt(one.Details) } : one));
  const struct = goStruct("version", { ...server, Components });
  const names = [...struct.entries().map(([name]) => name), "APIVersion"];
  const fields = names.map((name) => [name, () => struct.get(name === "APIVersion" ? "ApiVersion" : name)] as const);
  return new Row(struct.typeName, Object.fromEntries(fields), { isStruct: true, json: () => struct.jsonEntries() });
}

/** The engine's time is told as Docker's client words it, in templates too. */
function withBuiltAt(details: Readonly<Record<string, unknown>> | null | undefined): Readonly<Record<string, unknown>> {
  const time = details?.["BuildTime"];
  return typeof time === "string" ? { ...details, BuildTime: builtAt(time) } : (details ?? {});
}
