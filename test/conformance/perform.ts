import type { Fact, Play, PlayBook } from "./play.ts";
import { Stage } from "./stage.ts";

/** Play → what was seen. A play that failed has one fact, which tells why. */
export type Facts = Readonly<Record<string, readonly Fact[]>>;

/** Plays at a time: most of a play is waiting for processes to start. */
const side = 4;

/** Plays a book against the daemon behind `socket`. */
export async function perform(book: PlayBook, socket: string): Promise<Facts> {
  const facts: Record<string, readonly Fact[]> = {};
  const waiting = book.plays.filter((play) => !play.alone);
  const worker = async (): Promise<void> => {
    for (let play = waiting.shift(); play; play = waiting.shift()) facts[play.name] = await act(play, socket);
  };
  await Promise.all(Array.from({ length: side }, worker));
  for (const play of book.plays.filter((play) => play.alone)) facts[play.name] = await act(play, socket);
  return Object.fromEntries(book.plays.map(({ name }): [string, readonly Fact[]] => [name, facts[name] ?? []]));
}

async function act(play: Play, socket: string): Promise<readonly Fact[]> {
  await using stage = new Stage(socket);
  try {
    await play.act(stage);
  } catch (error) {
    stage.note("the play ended early", error instanceof Error ? error.message : String(error));
  }
  return stage.facts;
}
