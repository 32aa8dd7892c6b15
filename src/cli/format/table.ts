/** Docker's tables: columns at least ten wide, three spaces between them, nothing after the last. */
const minimumWidth = 10;
const padding = 3;

/**
 * Lays out lines whose cells are separated by tabs, as Go's tabwriter does: the last cell of a line belongs to no column, and a column ends at
 * the first line that lacks it.
 */
export function layOut(lines: readonly string[]): string {
  const rows = lines.map((line) => line.split("\t"));
  const widths = rows.map((): number[] => []);
  measure(rows, widths, 0, rows.length, 0);
  return rows
    .map(
      (cells, row) =>
        `${cells.map((cell, column) => (column === cells.length - 1 ? cell : pad(cell, widths[row]?.[column] ?? 0))).join("")}\n`,
    )
    .join("");
}

/** Finds the blocks of neighbouring lines that have column `column`, then the blocks of the next column inside of them. */
function measure(rows: readonly (readonly string[])[], widths: number[][], from: number, to: number, column: number): void {
  for (let start = from; start < to; start++) {
    if (!hasColumn(rows[start], column)) continue;
    let end = start;
    let width = minimumWidth;
    for (; end < to && hasColumn(rows[end], column); end++) width = Math.max(width, displayWidth(rows[end]?.[column] ?? "") + padding);
    for (let row = start; row < end; row++) widths[row]?.push(width);
    measure(rows, widths, start, end, column + 1);
    start = end;
  }
}

const hasColumn = (cells: readonly string[] | undefined, column: number): boolean => cells !== undefined && column < cells.length - 1;

const displayWidth = (text: string): number => Array.from(text).length;

const pad = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - displayWidth(text)));

/** Cells of `top`: every one belongs to a column at least twenty wide. */
export function layOutRight(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const cells of rows) cells.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 20, displayWidth(cell) + 1)));
  return rows
    .map((cells) => `${cells.map((cell, column) => (column === cells.length - 1 ? cell : pad(cell, widths[column] ?? 0))).join("")}\n`)
    .join("");
}
