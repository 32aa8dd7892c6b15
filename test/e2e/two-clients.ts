import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { expectClean } from "../support/audit.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { comparableDocker } from "../support/docker.ts";
import { loadBusybox } from "../support/images.ts";

// Docker's own client and ours, called as docker, play the same scenes at the same daemon: what a user sees must be equal.

/** Docker's client; undefined where there is none of version 28 or newer, and then there is nothing to compare with. */
export const dockerProgram = comparableDocker();
const peerHost = process.env["GANTRY_PEER_DOCKER_HOST"];

/**
 * A command line after the program's name, as a shell would read it: `'…'` keeps its spaces. `DIR` is a folder of the scene, `HOST` the daemon's
 * address, `PLAY` a word that no other play has.
 */
export type Line = string | LineWith;

export interface LineWith {
  readonly line: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Without `DOCKER_HOST`. */
  readonly hasNoHost?: boolean;
  /** Lines of the output come in an order of chance. */
  readonly isUnordered?: boolean;
}

export interface Scene {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Files in the folder of the scene; `HOST` in them is the daemon's address. */
  readonly files?: Readonly<Record<string, string>>;
  /** Played by Docker's client for both, and not compared. */
  readonly before?: readonly string[];
  readonly lines: readonly Line[];
  /** As `before`. What these remove may be gone already. */
  readonly after?: readonly string[];
  /** Reads what belongs to everybody: on a daemon that others use, it may need another look. */
  readonly looksAtAll?: boolean;
  /** Not played with the peer, for this reason. */
  readonly onlyOurs?: string;
}

export interface Seen {
  readonly out: string;
  readonly err: string;
  readonly code: number;
}

/** Both programs and the daemon they are pointed at; valid once the tests run. */
export interface Stage {
  readonly host: () => string;
  readonly docker: string;
  readonly ours: string;
}

const folder = mkdtempSync(join(tmpdir(), "gantry-two-clients-"));

/** Our client under the name of Docker's. */
export const ourDocker = join(folder, "docker");
writeFileSync(ourDocker, `#!/bin/bash\nexec -a docker "${process.execPath}" "${join(import.meta.dir, "../../src/main.ts")}" "$@"\n`);
chmodSync(ourDocker, 0o755);

export const removeClients = (): void => rmSync(folder, { recursive: true, force: true });

/** Declares tests twice: at a daemon of our own, and at Docker's where GANTRY_PEER_DOCKER_HOST names one. */
export function atBothDaemons(declare: (stage: Stage, isPeer: boolean) => void): void {
  afterAll(removeClients);
  describe.skipIf(dockerProgram === undefined)("at a daemon of our own (skipped: docker 28 is not installed)", () => {
    let daemon: TestDaemon | undefined;
    beforeAll(async () => {
      daemon = await startDaemon();
      await loadBusybox(daemon);
    }, 60_000);
    afterAll(async () => {
      try {
        if (daemon) await expectClean(daemon);
      } finally {
        await daemon?.[Symbol.asyncDispose]();
      }
    }, 60_000);
    declare({ host: () => daemon?.host ?? "", docker: dockerProgram ?? "", ours: ourDocker }, false);
  });
  describe.skipIf(dockerProgram === undefined || !peerHost)(
    "at Docker's daemon (skipped: docker 28 or GANTRY_PEER_DOCKER_HOST is missing)",
    () => {
      declare({ host: () => peerHost ?? "", docker: dockerProgram ?? "", ours: ourDocker }, true);
    },
  );
}

export function playAtBothDaemons(scenes: readonly Scene[]): void {
  atBothDaemons((stage, isPeer) => {
    for (const scene of scenes)
      test.skipIf(isPeer && scene.onlyOurs !== undefined)(scene.name, () => comparePlays(stage, scene, isPeer), 120_000);
  });
}

async function comparePlays(stage: Stage, scene: Scene, isPeer: boolean): Promise<void> {
  const attempts = scene.looksAtAll && isPeer ? 4 : 1;
  for (let attempt = 1; ; attempt++) {
    const theirs = await play(stage, stage.docker, scene);
    const ours = await play(stage, stage.ours, scene);
    if (attempt < attempts && !Bun.deepEquals(ours, theirs)) continue;
    return expectEqual(ours, theirs);
  }
}

/** Fails with those lines only that differ. */
function expectEqual(ours: Transcript, theirs: Transcript): void {
  const differing = theirs.flatMap((line, at) => (Bun.deepEquals(ours[at], line) ? [] : [at]));
  expect(differing.map((at) => ours[at])).toEqual(differing.map((at) => theirs[at]));
}

type Transcript = readonly ({ readonly line: string } & Seen)[];

async function play(stage: Stage, program: string, scene: Scene): Promise<Transcript> {
  const directory = mkdtempSync(join(folder, "scene-"));
  for (const [name, text] of Object.entries(scene.files ?? {}))
    await Bun.write(join(directory, name), text.replaceAll("HOST", stage.host()));
  const prepare = (lines: readonly string[] = []) => playAll(lines, (line) => runClient(stage, stage.docker, line, directory));
  try {
    for (const { line, err } of await prepare(scene.before))
      if (err.includes("Error response from daemon")) throw new Error(`docker ${line} failed: ${err}`);
    return await playAll(scene.lines, async (line) =>
      normalised(await runClient(stage, program, { ...line, env: { ...scene.env, ...line.env } }, directory), directory, stage.host()),
    );
  } finally {
    await prepare(scene.after);
  }
}

async function playAll(lines: readonly Line[], run: (line: LineWith) => Promise<Seen>): Promise<Transcript> {
  const seen = [];
  for (const each of lines) {
    const line: LineWith = typeof each === "string" ? { line: each } : each;
    const { out, ...rest } = await run(line);
    seen.push({ line: line.line, ...rest, out: line.isUnordered ? out.split("\n").toSorted().join("\n") : out });
  }
  return seen;
}

async function runClient(stage: Stage, program: string, line: LineWith, directory: string): Promise<Seen> {
  const placed = (text: string): string =>
    text.replaceAll("DIR", directory).replaceAll("HOST", stage.host()).replaceAll("PLAY", playOf(directory));
  const words = wordsOf(line.line).map(placed);
  const child = Bun.spawn([program, ...words], {
    stdin: line.stdin === undefined ? "ignore" : new Blob([line.stdin]),
    stdout: "pipe",
    stderr: "pipe",
    cwd: directory,
    timeout: 20_000, // one that hangs shows as a difference of its exit code
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: directory,
      ...(line.hasNoHost ? {} : { DOCKER_HOST: stage.host() }),
      ...Object.fromEntries(Object.entries(line.env ?? {}).map(([name, value]) => [name, placed(value)])),
    },
  });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { out, err, code };
}

const playOf = (directory: string): string => basename(directory).toLowerCase();

/** Words between spaces; what stands in single quotes is one word, spaces and all. */
export function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  for (const [, word = ""] of line.matchAll(/((?:'[^']*'|[^' ])+)/g)) words.push(word.replaceAll("'", ""));
  return words;
}

const ago = /(About |Less than )?(an?|\d+) (seconds?|minutes?|hours?|days?|weeks?|months?|years?)( ago)?/g;

function normalised(seen: Seen, directory: string, host: string): Seen {
  const clean = (text: string): string => {
    const placed = text
      .replaceAll(directory, "DIR")
      .replaceAll(playOf(directory), "PLAY")
      .replaceAll(dirname(directory), "TMP")
      .replaceAll(host, "HOST")
      .replaceAll(host.replace(/^unix:\/\//, ""), "SOCKET")
      .replace(/\b[0-9a-f]{64}\b/g, "<id>")
      .replace(/\b[0-9a-f]{12}\b/g, "<short id>")
      .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| [+-]\d{4} [A-Z]+|[+-]\d\d:\d\d)?/g, "<time>")
      .replace(/\b1[78]\d{8}(\d{9})?\b/g, "<unix time>")
      .replace(/\b(172|192|10)(\.\d{1,3}){3}\b/g, "<address>")
      .replace(/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, "<mac>")
      .replace(/(?<=(0\.0\.0\.0|\[::\]):)(3[2-9]|[45]\d)\d{3}\b/g, "<port>")
      .replace(/(?<="(HostPort|HostIp)": ?")(3[2-9]|[45]\d)\d{3}(?=")/g, "<port>");
    // The width of a column depends on how long ago something was: then only the gaps are compared, not how wide they are.
    return ago.test(placed) ? placed.replace(ago, "<ago>").replace(/ {2,}/g, "  ") : placed;
  };
  // Docker's client logs the failure of its wait as well as that of the start, when it comes to it first.
  const err = clean(seen.err).replace(/^time="<time>" level=error msg="Error waiting for container: .*\n/gm, "");
  return { ...seen, out: clean(seen.out), err };
}
