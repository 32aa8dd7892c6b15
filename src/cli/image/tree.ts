import type { ImageSummary } from "#client/shapes.ts";
import { humanSize } from "../units.ts";

/** A line of the tree: an image, or one of its platforms. */
interface TreeLine {
  readonly names: readonly string[];
  readonly id: string;
  readonly diskUsage: string;
  readonly contentSize: string;
  readonly isUsed: boolean;
  /** False: known by name alone. */
  readonly isHere: boolean;
}

interface TreeImage {
  readonly top: TreeLine;
  readonly platforms: readonly TreeLine[];
}

interface Column {
  readonly title: string;
  readonly widthColumns: number;
  readonly isRight?: boolean;
  text(line: TreeLine): string;
}

const gap = "   ";
const warning = "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.";
const details: readonly Column[] = [
  { title: "ID", widthColumns: 12, text: ({ id }) => id.replace(/^sha256:/, "").slice(0, 12) },
  { title: "DISK USAGE", widthColumns: 10, isRight: true, text: ({ diskUsage }) => diskUsage },
  { title: "CONTENT SIZE", widthColumns: 12, isRight: true, text: ({ contentSize }) => contentSize },
];
const chipColumns = 5;
const smallestNameColumns = 12;

export interface TreeOptions {
  /** Those without a name, too. */
  readonly all: boolean;
  readonly isTerminal: boolean;
  readonly widthColumns: number;
}

/** Images with their platforms below them, as Docker's client draws them; escape codes on a terminal alone. */
export function renderTree(images: readonly ImageSummary[], { all, isTerminal, widthColumns }: TreeOptions): string {
  const trees = images
    .toSorted((a, b) => (b.Created ?? 0) - (a.Created ?? 0))
    .map(toTree)
    .filter(({ top }) => all || top.names[0] !== untagged);
  const style = isTerminal ? inColours : plainly;
  const columns = fitting(widthColumns);
  const hasChips = columns.length === details.length && columnsOf(columns) + gap.length + chipColumns + smallestNameColumns <= widthColumns;
  const rest = columnsOf(columns) + (hasChips ? gap.length + chipColumns : 0);
  const nameColumns = Math.min(Math.max(widthColumns - rest, smallestNameColumns), widestName(trees));
  const row = (name: string, line: TreeLine): string => {
    const cells = columns.map((column) => gap + aligned(column.text(line), column, style.detail(line)));
    const chip = hasChips ? gap + (line.isUsed ? style.used : " ".repeat(chipColumns)) : "";
    return `${name}${cells.join("")}${chip}\n`;
  };
  const titles = columns.map((column) => gap + aligned(column.title, column, style.title)).join("");
  const head = `${aligned("IMAGE", { widthColumns: nameColumns }, style.title)}${titles}${hasChips ? gap + style.title("EXTRA") : ""}\n`;
  const hasPlatforms = trees.some(({ platforms }) => platforms.length > 0);
  const body = trees.map(({ top, platforms }) => {
    const name = { widthColumns: nameColumns };
    const names = top.names.map((text) => aligned(text, name, text === untagged ? style.untagged : style.name)).join("\n");
    const lines = platforms.map((line, index) => {
      const branch = `${index < platforms.length - 1 ? "├─" : "└─"} ${line.names[0] ?? ""}`;
      return row(aligned(branch, name, style.detail(line)), line);
    });
    return `${row(names, top)}${lines.join("")}${hasPlatforms ? "\n" : ""}`;
  });
  return `${style.warning(warning)}\n${style.legend(widthColumns)}\n\n${head}${body.join("")}`;
}

const untagged = "<untagged>";

function toTree(image: ImageSummary): TreeImage {
  const manifests = (image.Manifests ?? []).filter(({ Kind }) => Kind === "image");
  const platforms = manifests.map(({ ID, Available, Size, ImageData }): TreeLine => {
    const { os = "", architecture = "", variant = "" } = ImageData?.Platform ?? {};
    return {
      names: [[os, architecture, variant].filter(Boolean).join("/")],
      id: ID,
      diskUsage: humanSize(Size.Total, 3),
      contentSize: humanSize(Size.Content, 3),
      isUsed: (ImageData?.Containers ?? []).length > 0,
      isHere: Available,
    };
  });
  const tags = image.RepoTags ?? [];
  const top: TreeLine = {
    names: tags.length > 0 ? tags : [untagged],
    id: image.Id,
    diskUsage: humanSize(image.Size ?? 0, 3),
    contentSize: humanSize(
      manifests.reduce((sum, { Size }) => sum + Size.Content, 0),
      3,
    ),
    isUsed: (image.Containers ?? 0) > 0 || platforms.some(({ isUsed }) => isUsed),
    isHere: true,
  };
  return { top, platforms };
}

const columnsOf = (columns: readonly Column[]): number => columns.reduce((sum, { widthColumns }) => sum + gap.length + widthColumns, 0);

/** From the left, as many as leave the names some room. */
function fitting(widthColumns: number): readonly Column[] {
  const count = details.findIndex((_, index) => widthColumns - columnsOf(details.slice(0, index + 1)) < smallestNameColumns);
  return count < 0 ? details : details.slice(0, count);
}

function widestName(trees: readonly TreeImage[]): number {
  const names = trees.flatMap(({ top, platforms }) => [
    ...top.names,
    ...platforms.flatMap((line) => line.names.map((name) => `└─ ${name}`)),
  ]);
  return Math.max("IMAGE".length, ...names.map((name) => name.length));
}

function aligned(text: string, { widthColumns, isRight }: Pick<Column, "widthColumns" | "isRight">, style: Paint): string {
  const shown = text.length > widthColumns ? `${text.slice(0, widthColumns - 1)}…` : text;
  const padding = " ".repeat(widthColumns - shown.length);
  return isRight ? padding + style(shown) : style(shown) + padding;
}

type Paint = (text: string) => string;

interface TreeStyle {
  readonly warning: Paint;
  readonly title: Paint;
  readonly name: Paint;
  readonly untagged: Paint;
  /** As wide as its column. */
  readonly used: string;
  readonly detail: (line: TreeLine) => Paint;
  readonly legend: (widthColumns: number) => string;
}

const same: Paint = (text) => text;
const legendText = "Info ->  U In Use ";
const plainly: TreeStyle = {
  warning: same,
  title: same,
  name: same,
  untagged: same,
  used: "U    ",
  detail: () => same,
  legend: (widthColumns) => legendText.padStart(widthColumns),
};

const coded =
  (codes: string): Paint =>
  (text) =>
    `${codes}${text}\u001b[0m`;
const chip = coded("\u001b[38;5;0m\u001b[48;5;14m");
const inColours: TreeStyle = {
  warning: coded("\u001b[93m"),
  title: coded("\u001b[39m\u001b[1m"),
  name: coded("\u001b[34m\u001b[1m"),
  untagged: coded("\u001b[39m\u001b[2m"),
  used: `${chip(" U ")}  `,
  detail: ({ isHere }) => coded(isHere ? "\u001b[39m" : "\u001b[39m\u001b[2m"),
  legend: (widthColumns) => {
    const info = "\u001b[1m\u001b[106m\u001b[30mi\u001b[0m\u001b[0m \u001b[96mInfo → \u001b[0m\u001b[0m ";
    const shownColumns = "i Info →   U  In Use ".length;
    return `${" ".repeat(Math.max(0, widthColumns - shownColumns))}${info}${chip(" U ")} In Use `;
  },
};
