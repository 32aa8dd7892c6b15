// Plays everything against a real Docker daemon, when one is named, and compares with the committed records: they say what Docker does.
import { describe, expect, test } from "bun:test";
import { comparePlay, describeDifference } from "./compare.ts";
import { peerSocket, playableBooks, prepare } from "./peer.ts";
import { perform } from "./perform.ts";
import { books } from "./plays/index.ts";
import { readRecord } from "./records.ts";

const socket = peerSocket();
const playable = socket === undefined ? books : await playableBooks(socket, books);

describe.skipIf(socket === undefined)(
  "the records are what the Docker daemon at GANTRY_PEER_DOCKER_HOST answers (skipped when not set):",
  () => {
    test.each(playable.map((book) => [book.noun, book] as const))(
      "%s",
      async (_, book) => {
        await prepare(socket ?? "");
        const [recorded, seen] = [await readRecord(book), await perform(book, socket ?? "")];
        const differences = book.plays.flatMap(({ name }) => comparePlay(name, recorded[name] ?? [], seen[name] ?? []));
        expect(differences.map((difference) => `${difference.play}: ${describeDifference(difference)}`)).toEqual([]);
      },
      180_000,
    );
  },
);
