import { messageOf } from "#lib/errors.ts";
import { version } from "#lib/version.ts";
import { command, noArguments } from "../command.ts";
import { ExitError } from "../errors.ts";
import { text } from "../flag-kinds.ts";
import { objectFormat } from "../help-texts.ts";
import { goStruct } from "../inspect/go-types.ts";
import { infoText } from "./info-text.ts";
import { printObject } from "./print-object.ts";

export const info = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: { format: text("f", objectFormat) },
  run: async ({ flags, client, program, out, err }) => {
    const ours = { Version: version, Context: client.http.endpoint.contextName, Debug: false };
    let server: Readonly<Record<string, unknown>> | undefined;
    let problem: unknown;
    try {
      server = await client.system.info();
    } catch (error) {
      problem = error;
    }
    if (flags.format !== "") {
      if (problem) throw new ExitError(1, messageOf(problem));
      await printObject(goStruct("info", { ...server, ClientInfo: ours }), flags.format, { name: "", goType: "system.dockerInfo" }, out);
      return;
    }
    await out.write(`Client:\n Version:    ${ours.Version}\n Context:    ${ours.Context}\n Debug Mode: ${ours.Debug}\n\nServer:\n`);
    if (!server) throw new ExitError(1, messageOf(problem));
    await out.write(`${infoText(server, { program })}\n`);
    for (const warning of Array.isArray(server["Warnings"]) ? server["Warnings"] : []) await err.line(String(warning));
  },
});
