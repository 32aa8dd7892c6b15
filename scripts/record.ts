// Plays every conformance play against a real Docker daemon and writes what it answered to test/conformance/recorded/.
//   npm run record            everything that can be played with it: a daemon with experimental features has books of its own
//   npm run record -- NOUN    one book of plays
// GANTRY_PEER_DOCKER_HOST names the daemon (unix:///…).
import { peerSocket, playableBooks, prepare } from "../test/conformance/peer.ts";
import { perform } from "../test/conformance/perform.ts";
import { books } from "../test/conformance/plays/index.ts";
import { writeRecord } from "../test/conformance/records.ts";

const socket = peerSocket();
if (!socket) {
  console.error("Set GANTRY_PEER_DOCKER_HOST to the socket of a Docker daemon, like unix:///var/run/docker.sock.");
  process.exit(1);
}
await prepare(socket);
const [noun] = process.argv.slice(2);
let early = 0;
const playable = await playableBooks(socket, books);
for (const book of playable.filter((book) => noun === undefined || book.noun === noun)) {
  const started = performance.now();
  const facts = await perform(book, socket);
  await writeRecord(book, facts);
  for (const [name, seen] of Object.entries(facts)) {
    const end = seen.at(-1);
    if (!end || !("note" in end) || end.note !== "the play ended early") continue;
    early++;
    console.error(`${book.noun}: "${name}" ended early: ${String(end.value)}`);
  }
  console.log(`${book.noun}: ${book.plays.length} plays (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
// The formatter looks at JSON too, and every check would complain.
Bun.spawnSync([process.execPath, "fmt", "test/conformance/recorded"]);
process.exit(early > 0 ? 1 : 0);
