import type { ImageVerifyReport, VerifiedContent } from "#client/shapes.ts";
import { Row } from "../format/values.ts";
import { humanSize } from "../units.ts";

type Damage = VerifiedContent["Damages"][number];
type Image = ImageVerifyReport["Images"][number];

export const verifyHeaders = {
  Image: "IMAGE",
  ID: "IMAGE ID",
  Object: "CONTENT",
  Digest: "DIGEST",
  Size: "SIZE",
  State: "STATE",
  Reason: "WHY",
  File: "FILE",
  Remedy: "REMEDY",
} as const;

/** One row for each damage, and for each image that has none. @param onlyDamaged  one for each image that has some */
export function verifyRows({ Images, Others }: ImageVerifyReport, onlyDamaged: boolean): Row[] {
  const checked = [
    ...Images.map((image) => ({ name: nameOf(image), id: image.Id, content: image, remedy: remedyOf(image) })),
    ...(Others && Others.Layers + Others.Blobs > 0 ? [{ name: "<none>", id: "", content: Others, remedy: strayRemedy }] : []),
  ];
  if (onlyDamaged) return checked.filter(({ content }) => content.Damages.length > 0).map(({ name }) => rowOf({ Image: name }));
  return checked.flatMap(({ name, id, content, remedy }) => {
    const common = { Image: name, ID: id, Size: humanSize(content.Size) };
    if (content.Damages.length === 0) return [rowOf({ ...common, Object: countOf(content), State: "whole" })];
    return content.Damages.map((damage) =>
      rowOf({
        ...common,
        Object: objectOf(damage),
        Digest: damage.Digest,
        State: damage.State,
        Reason: damage.Reason,
        File: damage.File,
        Remedy: remedy,
      }),
    );
  });
}

/** What is damaged, in full, and what to do about it. */
export function damageSentences({ Images, Others }: ImageVerifyReport): string[] {
  const sentences = (name: string, damages: readonly Damage[], remedy: string): string[] =>
    damages.length === 0 ? [] : [...damages.map((damage) => `${name}: ${sentenceOf(damage)}`), `To repair ${name}: ${remedy}`];
  return [
    ...Images.flatMap((image) => sentences(nameOf(image), image.Damages, remedyOf(image))),
    ...sentences("content of no image", Others?.Damages ?? [], strayRemedy),
  ];
}

const strayRemedy = "pull or load an image that has it, or remove the containers that use it";

function nameOf({ Id, RepoTags }: Image): string {
  return RepoTags.join(", ") || shortened(Id);
}

function remedyOf({ Id, RepoTags, IsInRegistry, Damages }: Image): string {
  const [name = shortened(Id)] = RepoTags;
  if (Damages.some(({ Object: object }) => object === "record")) return `gantry image rm ${name}, then pull or load it again`;
  return IsInRegistry && RepoTags.length > 0 ? `gantry pull ${name}` : "gantry load of an archive that has it, or make it again";
}

function sentenceOf({ Object: object, Digest, Reason, File }: Damage): string {
  return `${object} ${Digest}: ${Reason}${File === "" ? "" : ` (${File})`}`;
}

function objectOf({ Object: object, Digest }: Damage): string {
  return `${object} ${shortened(Digest)}`;
}

function countOf({ Layers, Blobs }: VerifiedContent): string {
  const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
  return `${counted(Layers, "layer")}, ${counted(Blobs, "blob")}`;
}

const shortened = (digest: string): string => digest.slice(digest.indexOf(":") + 1).slice(0, 12);

function rowOf(fields: Partial<Record<keyof typeof verifyHeaders, string>>): Row {
  const all = Object.keys(verifyHeaders) as (keyof typeof verifyHeaders)[];
  return new Row("*formatter.imageVerifyContext", Object.fromEntries(all.map((name) => [name, () => fields[name] ?? ""])));
}
