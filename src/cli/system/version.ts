import { clientApiVersion } from "#client/transport.ts";
import type { ServerVersion } from "#client/shapes.ts";
import { messageOf } from "#lib/errors.ts";
import { buildCommit, version } from "#lib/version.ts";
import { command, noArguments } from "../command.ts";
import { ExitError } from "../errors.ts";
import { text } from "../flag-kinds.ts";
import { display } from "../format/values.ts";
import { objectFormat } from "../help-texts.ts";
import { builtAt } from "./built-at.ts";

export const versionCommand = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: { format: text("f", objectFormat) },
  run: async ({ flags, client, out }) => {
    let server: ServerVersion | undefined;
    let problem: unknown;
    try {
      server = await client.system.version();
    } catch (error) {
      problem = error;
    }
    const apiVersion = server ? await client.http.apiVersion() : clientApiVersion;
    const own = clientFields(apiVersion, client.http.endpoint.contextName);
    if (flags.format !== "")
      await (await import("./version-format.ts")).printVersions(own, server, flags.format, out); // not needed by most
    else await out.write(`${clientText(own)}${server ? `\n${serverText(server)}` : ""}`);
    if (problem) throw new ExitError(1, messageOf(problem));
  },
});

export type ClientFields = ReturnType<typeof clientFields>;

function clientFields(apiVersion: string, context: string) {
  return {
    Version: version,
    ApiVersion: apiVersion,
    DefaultAPIVersion: clientApiVersion,
    GitCommit: buildCommit,
    GoVersion: "", // kept for templates made for Docker
    Os: process.platform,
    Arch: process.arch === "x64" ? "amd64" : process.arch,
    BuildTime: "",
    Context: context,
  };
}

const line = (indent: string, label: string, value: string): string =>
  `${indent}${`${label}:`.padEnd(indent.length === 1 ? 19 : 18)}${value}\n`;

function clientText(own: ClientFields): string {
  const api = own.ApiVersion + (own.ApiVersion === own.DefaultAPIVersion ? "" : ` (downgraded from ${own.DefaultAPIVersion})`);
  return [
    "Client: Gantry\n",
    line(" ", "Version", own.Version),
    line(" ", "API version", api),
    line(" ", "Git commit", own.GitCommit),
    line(" ", "OS/Arch", `${own.Os}/${own.Arch}`),
    line(" ", "Context", own.Context),
  ].join("");
}

function serverText(server: ServerVersion): string {
  const components = server.Components?.length ? server.Components : [engineOf(server)];
  const platform = server.Platform?.Name ? ` ${server.Platform.Name}` : "";
  return `Server:${platform}\n${components.map(componentText).join("")}`;
}

/** Daemons older than API 1.35 tell of no components. */
function engineOf(server: ServerVersion): { Name: string; Version: string; Details: Record<string, string> } {
  const {
    ApiVersion = "",
    MinAPIVersion = "",
    GitCommit = "",
    Os = "",
    Arch = "",
    GoVersion = "",
    BuildTime = "",
    Experimental = false,
  } = server;
  const Details = { ApiVersion, MinAPIVersion, GitCommit, Os, Arch, GoVersion, BuildTime, Experimental: String(Experimental) };
  return { Name: "Engine", Version: server.Version ?? "", Details };
}

function componentText({ Name, Version, Details }: NonNullable<ServerVersion["Components"]>[number]): string {
  const detail = (name: string): string => display(Details?.[name] ?? "");
  const lines = [` ${Name}:\n`, line("  ", "Version", Version)];
  if (Name !== "Engine") return [...lines, line("  ", "GitCommit", detail("GitCommit"))].join("");
  lines.push(line("  ", "API version", `${detail("ApiVersion")} (minimum version ${detail("MinAPIVersion")})`));
  if (detail("GoVersion")) lines.push(line("  ", "Go version", detail("GoVersion")));
  lines.push(line("  ", "Git commit", detail("GitCommit")));
  if (detail("BuildTime")) lines.push(line("  ", "Built", builtAt(detail("BuildTime"))));
  lines.push(line("  ", "OS/Arch", `${detail("Os")}/${detail("Arch")}`), line("  ", "Experimental", detail("Experimental") || "false"));
  return lines.join("");
}
