import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { ConmonContainer } from "./conmon.ts";
import { loggedText } from "./logged.ts";

const rounds = 2400;
const linesPerRound = 120;

/** Two streams, lines of changing length, pieces without newline in between. */
const script = `i=0
while [ $i -lt ${rounds} ]; do
  awk -v r=$i 'BEGIN {
    for (n = 0; n < ${linesPerRound}; n++) {
      pad = substr("abcdefghijklmnopqrstuvwxyz0123456789", 1, (r * 7 + n * 13) % 37)
      printf "o %d %d %s\\n", r, n, pad
      printf "e %d %d ", r, n > "/dev/stderr"
      printf "%s\\n", pad > "/dev/stderr"
    }
  }'
  usleep 1500
  i=$((i+1))
done`;

function expected(letter: "o" | "e"): string {
  const lines: string[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < linesPerRound; n++) {
      lines.push(`${letter} ${round} ${n} ${"abcdefghijklmnopqrstuvwxyz0123456789".slice(0, (round * 7 + n * 13) % 37)}\n`);
    }
  }
  return lines.join("");
}

function startHub(container: ConmonContainer): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  return Bun.spawn(
    [process.execPath, `${import.meta.dir}/hub-process.ts`, container.spoolFolder, container.logsFolder, container.exitFile, "400k"],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
}

/** Kills the hub at random moments of its work; returns how often that was before the container had ended. */
async function killRepeatedly(container: ConmonContainer, kills: number): Promise<number> {
  let duringOutput = 0;
  for (let kill = 0; kill < kills; kill++) {
    const hub = startHub(container);
    await hub.stdout.getReader().read();
    await Bun.sleep(Math.random() * 60);
    if (!container.ended) duringOutput++;
    hub.kill("SIGKILL");
    await hub.exited;
  }
  return duringOutput;
}

test.each([
  ["", 1 << 30],
  [" while conmon rotates the spool", 6_000_000],
])(
  "a daemon killed at any moment leaves no hole and no duplicate in the log%s (F8)",
  async (_, segmentBytes) => {
    await using container = new ConmonContainer();
    // The first one makes the spool before conmon is there, as the engine does.
    const first = startHub(container);
    await first.stdout.getReader().read();
    await container.create(script, segmentBytes);
    container.start();
    await Bun.sleep(30);
    first.kill("SIGKILL");
    await first.exited;

    const kills = await killRepeatedly(container, 25);
    const last = startHub(container);
    expect(await container.exit()).toBe(0);
    expect(await last.exited).toBe(0);

    console.log(`${kills} kills during output, ${readdirSync(container.logsFolder).length - 1} log files`);
    expect(kills).toBeGreaterThanOrEqual(20);
    // Not toBe: a difference of megabytes would be printed.
    expect(loggedText(container.logsFolder, "stdout") === expected("o")).toBe(true);
    expect(loggedText(container.logsFolder, "stderr") === expected("e")).toBe(true);
    expect(readdirSync(container.spoolFolder)).toEqual([]);
  },
  180_000,
);

test("a daemon away for longer than the spool can keep tells of the gap in one line (F8)", async () => {
  await using container = new ConmonContainer();
  const first = startHub(container);
  await first.stdout.getReader().read();
  await container.create("seq 1 300000", 2_000_000);
  first.kill("SIGKILL");
  await first.exited;
  container.start();
  await container.exit();
  expect(await startHub(container).exited).toBe(0);

  expect(loggedText(container.logsFolder, "stderr")).toMatch(/^lines of log may be missing here: [^\n]*\n$/);
  const lines = loggedText(container.logsFolder, "stdout").split("\n");
  // The first part and the newest are there.
  expect(lines.slice(0, 20_000)).toEqual(Array.from({ length: 20_000 }, (_, index) => String(index + 1)));
  expect(lines.at(-2)).toBe("300000");
});
