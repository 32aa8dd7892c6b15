import { join } from "node:path";
import type { Facts } from "./perform.ts";
import type { PlayBook } from "./play.ts";

const folder = join(import.meta.dir, "recorded");

/** The facts of a book as they were recorded from Docker. @throws when nobody has recorded it */
export async function readRecord(book: PlayBook): Promise<Facts> {
  return (await Bun.file(join(folder, `${book.noun}.json`)).json()) as Facts;
}

export async function writeRecord(book: PlayBook, facts: Facts): Promise<void> {
  await Bun.write(join(folder, `${book.noun}.json`), `${JSON.stringify(facts, undefined, 1)}\n`);
}
