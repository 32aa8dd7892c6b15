import { expect, test } from "bun:test";
import { join } from "node:path";
import { busyboxArchive } from "../support/images.ts";
import { docker } from "../support/docker.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { runInTerminal, type TerminalSession } from "../support/terminal.ts";
import { until } from "../support/until.ts";
import { atBothDaemons, type Stage } from "./two-clients.ts";

const size = { columns: 100, rows: 30 };
const name = `gantry-same-t-${process.pid}`;
const prompt = "/ # ";

interface Session {
  readonly line: string;
  /** What the person does; the session's text is compared after the program's end. */
  readonly play: (terminal: TerminalSession, at: { readonly host: string }) => Promise<void>;
}

/** Screens and exit codes of sessions one after the other, with one client. */
async function seen(stage: Stage, program: string, sessions: readonly Session[]) {
  const host = stage.host();
  const all: { line: string; screen: string; code: number }[] = [];
  try {
    for (const { line, play } of sessions) {
      const terminal = await runInTerminal([program, "-H", host, ...words(line)], size);
      await play(terminal, { host }).catch((error: unknown) => {
        throw new Error(`${program} ${line}: ${JSON.stringify(terminal.text())}`, { cause: error });
      });
      const code = await terminal.exit();
      all.push({ line, screen: screenOf(terminal.text()).replace(/\b([0-9a-f]{64}|[0-9a-f]{12})\b/g, "<id>"), code });
    }
  } finally {
    await docker(host, "rm", "-f", "-v", name);
  }
  return all;
}

const words = (line: string): string[] => [...line.matchAll(/('[^']*'|[^' ])+/g)].map(([word]) => word.replaceAll("'", ""));

/** What stands on the screen after all cursor movements that clients and small shells make. */
function screenOf(text: string): string {
  const lines: string[] = [""];
  let [row, column] = [0, 0];
  // eslint-disable-next-line no-control-regex -- the controls of a terminal
  for (const [token, , count, letter] of text.matchAll(/(\u001b\[(\d*)(?:;\d*)?([A-Za-z]))|[^]/g)) {
    const moves = Number(count || "1");
    if (token === "\n") lines[++row] ??= "";
    else if (token === "\r") column = 0;
    else if (letter === "A") row = Math.max(0, row - moves);
    else if (letter === "B") row += moves;
    else if (letter === "K") lines[row] = count === "2" ? "" : (lines[row] ?? "").slice(0, column);
    else if (letter === undefined) {
      const line = (lines[row] ?? "").padEnd(column);
      lines[row] = line.slice(0, column) + token + line.slice(column + 1);
      column++;
    }
  }
  // How often something had to be said, or the size was told, does not count.
  return [...new Set(lines.map((line) => line.trimEnd()))].filter((line) => line !== "" && line !== "resized").join("\n");
}

const running = (host: string) => async () => (await docker(host, "ps", "-q", "--filter", `name=${name}`)).stdout !== "";

const detaches =
  (keys: string): Session["play"] =>
  async (terminal) => {
    await terminal.until(prompt);
    terminal.type(keys);
  };

/** Tells when it starts and when its terminal has another size, as it has when somebody attaches; answers lines, and runs one that says exit. */
const answering = `sh -c 'echo ready; trap "echo resized" WINCH; while :; do read -t 1 x || continue; echo got $x; case $x in exit*) $x;; esac; done'`;

/** Said again when it is lost: a shell that is told of a new size forgets the half of a line that it has read. */
const answered = (terminal: TerminalSession, line: string): Promise<void> =>
  until(async () => {
    terminal.type(`${line}\n`);
    await Bun.sleep(300);
    return terminal.text().includes(`got ${line}\r\n`);
  });

const plays: readonly { readonly name: string; readonly sessions: readonly Session[] }[] = [
  {
    name: "run -it: the size, a resize, and the exit code",
    sessions: [
      {
        line: `run -it --rm --name ${name} busybox sh`,
        play: async (terminal) => {
          await terminal.until(prompt);
          terminal.type("stty size\n");
          await terminal.until("30 100");
          terminal.type('until [ "$(stty size)" = "22 77" ]; do sleep 0.05; done; stty size\n');
          // Docker's client misses a change in the moment before it listens.
          await until(async () => {
            terminal.resize({ columns: 78, rows: 22 });
            terminal.resize({ columns: 77, rows: 22 });
            await Bun.sleep(300);
            return terminal.text().includes("22 77\r\n");
          });
          terminal.type("exit 3\n");
        },
      },
    ],
  },
  {
    name: "Ctrl-P Ctrl-Q leaves run, attach and exec",
    sessions: [
      {
        line: `run -it --name ${name} busybox ${answering}`,
        play: async (terminal) => {
          await terminal.until("ready");
          terminal.type("\u0010\u0011");
        },
      },
      {
        line: `attach ${name}`,
        play: async (terminal) => {
          await terminal.until("resized");
          await answered(terminal, "one");
          terminal.type("\u0010\u0011");
        },
      },
      { line: `exec -it ${name} sh`, play: detaches("\u0010\u0011") },
      { line: `exec -it --detach-keys ctrl-a,x ${name} sh`, play: detaches("\u0001x") },
      {
        line: `exec -it ${name} sh`,
        play: async (terminal) => {
          await terminal.until(prompt);
          terminal.type("stty size; exit 5\n");
        },
      },
      {
        line: `attach --detach-keys ctrl-a ${name}`,
        play: async (terminal) => {
          await terminal.until("resized");
          await answered(terminal, "two");
          terminal.type("\u0001");
        },
      },
      {
        line: `attach ${name}`,
        play: async (terminal) => {
          await terminal.until("resized");
          await answered(terminal, "three");
          terminal.type("exit 6\n");
        },
      },
      {
        line: `start -ai ${name}`,
        play: async (terminal) => {
          await terminal.until("ready");
          terminal.type("exit 7\n");
        },
      },
    ],
  },
  {
    name: "Ctrl-C reaches the program of an attached run",
    sessions: [
      {
        line: `run --name ${name} busybox sh -c 'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.1; done'`,
        play: async (terminal) => {
          await terminal.until("ready");
          terminal.type("\u0003");
        },
      },
    ],
  },
  {
    name: "Ctrl-C ends logs -f, and leaves the program alone",
    sessions: [
      { line: `run -d --name ${name} busybox sh -c 'echo tick; sleep 100000'`, play: (_, { host }) => until(running(host)) },
      {
        line: `logs -f ${name}`,
        play: async (terminal) => {
          await terminal.until("tick");
          terminal.type("\u0003");
        },
      },
      { line: `ps --filter name=${name} --format {{.State}}`, play: () => Promise.resolve() },
    ],
  },
  {
    name: "Ctrl-C ends what waits: attach, wait, events, a question",
    sessions: [
      {
        line: `run -d --name ${name} busybox sh -c 'trap "echo caught; exit 7" INT; while :; do echo ready; sleep 0.1; done'`,
        play: (_, { host }) => until(running(host)),
      },
      {
        line: `wait ${name}`,
        play: async (terminal) => {
          await Bun.sleep(500); // it prints nothing by which one could tell that it waits
          terminal.type("\u0003");
        },
      },
      {
        line: `events --since 1h --filter container=${name} --filter event=create --format {{.Action}}`,
        play: async (terminal) => {
          await terminal.until("create");
          terminal.type("\u0003");
        },
      },
      {
        line: `volume prune --filter label=nosuch`,
        play: async (terminal) => {
          await terminal.until("[y/N]");
          terminal.type("\u0003");
        },
      },
      { line: `ps --filter name=${name} --format {{.State}}`, play: () => Promise.resolve() },
    ],
  },
  {
    name: "stdin of a terminal without -t: the end of the input ends cat",
    sessions: [
      {
        line: `run -i --rm --name ${name} busybox cat`,
        play: async (terminal) => {
          terminal.type("typed\n");
          await terminal.until("typed\r\ntyped");
          terminal.type("\u0004");
        },
      },
    ],
  },
  {
    name: "what is said on a terminal: pull, prune, errors",
    sessions: [
      { line: `pull 127.0.0.1:1/nosuch`, play: () => Promise.resolve() },
      { line: `run --rm 127.0.0.1:1/nosuch`, play: () => Promise.resolve() },
      { line: `volume prune --filter label=nosuch`, play: async (terminal) => (await terminal.until("[y/N]"), terminal.type("n\n")) },
      { line: `network prune --filter label=nosuch`, play: async (terminal) => (await terminal.until("[y/N]"), terminal.type("y\n")) },
      { line: `load`, play: () => Promise.resolve() },
      { line: `inspect nosuch`, play: () => Promise.resolve() },
    ],
  },
];

atBothDaemons((stage, isPeer) => {
  for (const { name, sessions } of plays)
    test(
      name,
      async () => {
        const theirs = await seen(stage, stage.docker, sessions);
        expect(await seen(stage, stage.ours, sessions)).toEqual(theirs);
      },
      90_000,
    );

  // The peer has the image for everyone.
  test.skipIf(isPeer)("load shows its progress", async () => {
    const archive = join(scratchFolder("same-load"), "busybox.tar");
    await Bun.write(archive, await busyboxArchive());
    const load = async (program: string) => {
      await docker(stage.host(), "rmi", "-f", "busybox");
      return seen(stage, program, [
        { line: `load -i ${archive}`, play: () => Promise.resolve() },
        { line: `load -q -i ${archive}`, play: () => Promise.resolve() },
      ]);
    };
    const theirs = await load(stage.docker);
    expect(await load(stage.ours)).toEqual(theirs);
    expect(theirs[0]?.screen).toContain("Loaded image: busybox:latest");
  });
});
