import type { ImageSummary } from "#client/shapes.ts";
import { atMost, command } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, filters, text } from "../flag-kinds.ts";
import { printRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { listFormat } from "../help-texts.ts";
import { goTime } from "../time.ts";
import { humanDuration, humanSize } from "../units.ts";
import { parseReference } from "./reference.ts";

export const imageHeaders = {
  ID: "IMAGE ID",
  Repository: "REPOSITORY",
  Tag: "TAG",
  Digest: "DIGEST",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  Size: "SIZE",
  Containers: "CONTAINERS",
  VirtualSize: "SIZE",
  SharedSize: "SHARED SIZE",
  UniqueSize: "UNIQUE SIZE",
} as const;

export const ls = command({
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  args: atMost(1),
  completes: "images",
  flags: {
    all: bool("a", "List intermediate images, too"),
    digests: bool(undefined, "Show digests"),
    filter: filters("f", "Show only what matches KEY=VALUE"),
    format: text(undefined, listFormat),
    noTrunc: bool(undefined, "Print long values in full"),
    quiet: bool("q", "Print the IDs only"),
    tree: bool(undefined, "Show every image with its platforms below it"),
  },
  examples: ["images --filter dangling=true", "images --tree"],
  run: async ({ args, flags, client, config, out, isTerminal }) => {
    const [reference] = args;
    const wanted = reference ? { ...flags.filter, reference: [reference] } : flags.filter;
    if (flags.tree) {
      refuseWithTree(flags);
      const images = (await client.images.list({ all: flags.all, filters: wanted, manifests: true })) ?? [];
      const [{ renderTree }, { terminalSize }] = await Promise.all([import("./tree.ts"), import("../terminal.ts")]);
      const isScreen = await isTerminal(1);
      const text = renderTree(images, { all: flags.all, isTerminal: isScreen, widthColumns: (isScreen && terminalSize(1)?.columns) || 80 });
      // Colours that are ours go as bytes: see Output.
      return out.write(isScreen ? new TextEncoder().encode(text) : text);
    }
    const images = (await client.images.list({ all: flags.all, filters: wanted })) ?? [];
    const format = flags.format || (flags.quiet ? "table" : ((await config()).formats["imagesFormat"] ?? "table"));
    const showsDigests = flags.digests || format.includes("{{.Digest}}");
    const digest = showsDigests ? "\\t{{.Digest}}" : "";
    const columns = `{{.Repository}}\\t{{.Tag}}${digest}\\t{{.ID}}\\t{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}\\t{{.Size}}`;
    const rows = images.flatMap((image) => imageRows(image, { truncates: !flags.noTrunc, showsDigests, now: Date.now() }));
    await printRows(
      rows,
      {
        format,
        defaultTable: columns,
        raw: `repository: {{.Repository}}\ntag: {{.Tag}}\n${showsDigests ? "digest: {{.Digest}}\n" : ""}${rawRest}`,
        quiet: flags.quiet ? { table: "{{.ID}}", raw: "image_id: {{.ID}}" } : undefined,
        headers: imageHeaders,
      },
      out,
    );
  },
});

/** @throws {ExitError} with Docker's words */
function refuseWithTree(flags: { readonly noTrunc: boolean; readonly quiet: boolean; readonly digests: boolean; readonly format: string }) {
  const refused = flags.quiet ? "quiet" : flags.noTrunc ? "no-trunc" : flags.digests ? "show-digest" : flags.format ? "format" : undefined;
  if (refused) throw new ExitError(1, `--${refused} is not yet supported with --tree`);
}

const rawRest = "image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";

interface Name {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/** A row for each name of an image; one row of `<none>` for an image without. */
export function imageRows(
  image: ImageSummary,
  options: { readonly truncates: boolean; readonly showsDigests: boolean; readonly now: number; readonly digest?: string },
): Row[] {
  const created = (image.Created ?? 0) * 1000;
  return namesOf(image, options.showsDigests).map(
    (name) =>
      new Row("*formatter.imageContext", {
        ID: () => (options.truncates ? image.Id.replace(/^sha256:/, "").slice(0, 12) : image.Id),
        Repository: () => name.repository,
        Tag: () => name.tag,
        Digest: () => options.digest ?? name.digest,
        CreatedSince: () => (created <= 0 && !image.Created ? "N/A" : `${humanDuration(options.now - created)} ago`),
        CreatedAt: () => goTime(created),
        Size: () => humanSize(image.Size ?? 0, 3),
        Containers: () => ((image.Containers ?? -1) === -1 ? "N/A" : String(image.Containers)),
        VirtualSize: () => humanSize(image.Size ?? 0),
        SharedSize: () => ((image.SharedSize ?? -1) === -1 ? "N/A" : humanSize(image.SharedSize ?? 0)),
        UniqueSize: () => ((image.SharedSize ?? -1) === -1 ? "N/A" : humanSize((image.Size ?? 0) - (image.SharedSize ?? 0))),
      }),
  );
}

const none = "<none>";

function namesOf(image: ImageSummary, showsDigests: boolean): readonly Name[] {
  const tags = (image.RepoTags ?? []).filter((tag) => tag !== "<none>:<none>");
  const digests = (image.RepoDigests ?? []).filter((digest) => digest !== "<none>@<none>");
  const digestsOf = (repository: string): string[] =>
    digests.filter((one) => parseReference(one)?.name === repository).map((one) => one.slice(one.indexOf("@") + 1));
  const named = tags.flatMap((text): Name[] => {
    const { name = text, tag = none } = parseReference(text) ?? {};
    const known = showsDigests ? digestsOf(name) : [];
    return known.length > 0 ? known.map((digest) => ({ repository: name, tag, digest })) : [{ repository: name, tag, digest: none }];
  });
  const tagged = new Set(named.map(({ repository }) => repository));
  const untagged = digests
    .map((text) => ({ repository: parseReference(text)?.name ?? none, tag: none, digest: text.slice(text.indexOf("@") + 1) }))
    .filter(({ repository }) => !tagged.has(repository));
  const all = [...named, ...untagged];
  return all.length > 0 ? all : [{ repository: none, tag: none, digest: none }];
}
