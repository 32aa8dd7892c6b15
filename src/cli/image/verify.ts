import type { ImageVerifyReport, ProgressMessage } from "#client/shapes.ts";
import { anyNumber, command } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { printRows } from "../format/rows.ts";
import { listFormat } from "../help-texts.ts";
import { printProgress } from "../progress.ts";
import { damageSentences, verifyHeaders, verifyRows } from "./verify-rows.ts";

export const verify = command({
  usage: "[OPTIONS] [IMAGE...]",
  args: anyNumber,
  completes: "images",
  flags: {
    format: text(undefined, listFormat),
    quiet: bool("q", "Print the names of damaged images only"),
  },
  examples: ["image verify", "image verify debian:13 --format json", "image verify --quiet || echo damaged"],
  run: async ({ args, flags, client, out, err, isTerminal }) => {
    let report: ImageVerifyReport | undefined;
    async function* progress(): AsyncGenerator<ProgressMessage, void> {
      for await (const message of client.images.verify(args)) {
        if (message.aux === undefined) yield message;
        else report = message.aux as ImageVerifyReport; // this route sends no other
      }
    }
    const isShown = !flags.quiet && (await isTerminal(2));
    await printProgress(progress(), { to: err, isQuiet: !isShown, isTerminal: async () => isShown });
    if (!report) throw new ExitError(1, "the daemon ended the verification without a report");
    await printRows(
      verifyRows(report, flags.quiet),
      {
        format: flags.quiet ? "{{.Image}}" : flags.format || "table",
        hasTables: !flags.quiet,
        defaultTable: "{{.Image}}\\t{{.Object}}\\t{{.Size}}\\t{{.State}}\\t{{.Reason}}",
        headers: verifyHeaders,
      },
      out,
    );
    const sentences = damageSentences(report);
    if (!flags.quiet) for (const sentence of sentences) await err.line(sentence);
    return sentences.length > 0 ? 1 : 0;
  },
});
