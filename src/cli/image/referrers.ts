import type { ImageReferrer } from "#client/shapes.ts";
import { command, exactly } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { printRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { listFormat } from "../help-texts.ts";
import { printProgress } from "../progress.ts";
import { registryAuth } from "../registry/credentials.ts";
import { humanSize } from "../units.ts";
import { parseReference } from "./reference.ts";

const headers = {
  Digest: "DIGEST",
  ArtifactType: "ARTIFACT TYPE",
  Size: "SIZE",
  Where: "WHERE",
  Created: "CREATED",
  Subject: "SUBJECT",
} as const;

export const referrers = command({
  usage: "[OPTIONS] IMAGE",
  args: exactly(1),
  completes: "images",
  flags: {
    artifactType: text(undefined, "Show this type only, such as application/spdx+json"),
    fetch: bool(undefined, "Fetch them first, and keep them with the image"),
    format: text(undefined, listFormat),
    local: bool(undefined, "Do not ask the registry"),
    noTrunc: bool(undefined, "Print long values in full"),
  },
  examples: [
    "image referrers registry.example/team/app:1",
    "image referrers --fetch --artifact-type application/spdx+json registry.example/team/app:1",
  ],
  run: async (invocation) => {
    const { args, flags, client, out, err, isTerminal } = invocation;
    const [name = ""] = args;
    const auth = flags.local ? undefined : await registryAuth(await invocation.config(), parseReference(name)?.name ?? name);
    const question = { artifactType: flags.artifactType, registryAuth: auth };
    if (flags.fetch) {
      const isQuiet = flags.format !== "";
      await printProgress(client.images.fetchReferrers(name, question), { to: err, isQuiet, isTerminal: () => isTerminal(2) });
    }
    const found = await client.images.referrers(name, { ...question, isLocal: flags.local });
    await printRows(
      found.map((one) => toRow(one, flags.noTrunc)),
      { format: flags.format || "table", defaultTable: "{{.Digest}}\\t{{.ArtifactType}}\\t{{.Size}}\\t{{.Where}}", headers },
      out,
    );
  },
});

function toRow({ Digest, ArtifactType, Size, Annotations, Subject, Local, Remote }: ImageReferrer, isWhole: boolean): Row {
  const shown = (digest: string): string => (isWhole ? digest : digest.slice(0, "sha256:".length + 12));
  return new Row("*formatter.referrerContext", {
    Digest: () => shown(Digest),
    ArtifactType: () => ArtifactType || "<none>",
    Size: () => humanSize(Size, 3),
    Where: () => [Local ? "local" : "", Remote ? "registry" : ""].filter(Boolean).join(", "),
    Created: () => Annotations["org.opencontainers.image.created"] ?? "N/A",
    Subject: () => shown(Subject),
  });
}
