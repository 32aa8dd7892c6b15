import { describe, expect, test } from "bun:test";
import { commonCommands, groups, otherCommands } from "./commands.ts";
import { runCommandLine } from "./main.ts";
import { memoryOutput } from "./output.ts";

async function run(...argv: string[]) {
  const [out, err] = [memoryOutput(), memoryOutput()];
  const code = await runCommandLine(argv, {
    program: "gantry",
    environment: { DOCKER_HOST: "unix:///nonexistent/gantry.sock", HOME: "/nonexistent" },
    out,
    err,
    isTerminal: async () => false,
    columns: async () => 80,
  });
  return { code, out: out.text, err: err.text };
}

describe("a command line that cannot be read", () => {
  test.each([
    [
      ["run", "--foo"],
      125,
      "unknown flag: --foo\n\nUsage:  gantry run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'gantry run --help' for more information\n",
    ],
    [
      ["--foo", "ps"],
      125,
      "unknown flag: --foo\n\nUsage:  gantry [OPTIONS] COMMAND [ARG...]\n\nRun 'gantry --help' for more information\n",
    ],
    [
      ["run"],
      1,
      "gantry: 'gantry run' requires at least 1 argument\n\nUsage:  gantry run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nSee 'gantry run --help' for more information\n",
    ],
    [
      ["ps", "extra"],
      1,
      "gantry: 'gantry ps' accepts no arguments\n\nUsage:  gantry ps [OPTIONS]\n\nRun 'gantry ps --help' for more information\n",
    ],
    [
      ["rename", "a"],
      1,
      "gantry: 'gantry rename' requires 2 arguments\n\nUsage:  gantry rename CONTAINER NEW_NAME\n\nRun 'gantry rename --help' for more information\n",
    ],
    [["imgaes"], 1, "gantry: unknown command: gantry imgaes\n\nDid you mean this?\n  images\n\nRun 'gantry --help' for more information\n"],
    [
      ["network", "zzzzzz"],
      1,
      "gantry: unknown command: gantry network zzzzzz\n\nUsage:  gantry network\n\nRun 'gantry network --help' for more information\n",
    ],
    [["help", "nosuch"], 1, "unknown help topic: nosuch\n"],
    [["run", "-p", "abc", "busybox"], 125, "gantry: invalid containerPort: abc\n\nRun 'gantry run --help' for more information\n"],
    [["-H", "a", "-H", "b", "ps"], 1, "Failed to initialize: unable to resolve docker endpoint: Specify only one -H\n"],
  ])("%p ends with %p", async (argv, code, err) => {
    expect(await run(...argv)).toEqual({ code, out: "", err });
  });
});

describe("without a daemon", () => {
  const message = "Cannot connect to the Docker daemon at unix:///nonexistent/gantry.sock. Is the docker daemon running?\n";

  test("a command says where it looked", async () => {
    expect(await run("ps")).toEqual({ code: 1, out: "", err: message });
  });

  test("run ends with 125", async () => {
    expect(await run("run", "busybox")).toEqual({
      code: 125,
      out: "",
      err: `gantry: ${message}\nRun 'gantry run --help' for more information\n`,
    });
  });

  test("version still tells its own", async () => {
    const { code, out, err } = await run("version");
    expect([code, out.split("\n")[0], err]).toEqual([1, "Client: Gantry", message]);
  });
});

describe("help", () => {
  test("of a command is laid out as pflag does", async () => {
    expect((await run("container", "logs", "--help")).out).toMatchInlineSnapshot(`
      "Usage:  gantry container logs [OPTIONS] CONTAINER

      Print what a container has written

      Aliases:
        gantry container logs, gantry logs

      Options:
            --details        Add the labels and variables chosen by log options
        -f, --follow         Go on printing what is written from now on
            --since string   Leave out what is older: a time, or an age such as
                             "10m"
        -n, --tail string    How many of the last lines to print, or all
                             (default "all")
        -t, --timestamps     Put the time before each line
            --until string   Leave out what is newer: a time, or an age such as
                             "10m"
      "
    `);
  });

  test("of a group lists its commands, on stdout when asked for and on stderr when one is missing", async () => {
    const asked = await run("volume", "--help");
    expect(asked.out).toContain("  ls          List volumes\n");
    expect(await run("volume")).toEqual({ code: 0, out: "", err: asked.out });
  });

  test("is the same by `help COMMAND`", async () => {
    expect((await run("help", "run")).out).toBe((await run("run", "--help")).out);
  });

  test("exists for every command, and no two flags of one share a letter", async () => {
    for (const leaf of [...groups.flatMap((group) => group.children), ...commonCommands, ...otherCommands]) {
      const { flags } = await leaf.load();
      const letters = Object.values(flags).flatMap((flag) => flag.short ?? []);
      expect(new Set(letters).size).toBe(letters.length);
      expect(leaf.summary).not.toBe("");
    }
  });
});

describe("a command that is no client of a daemon", () => {
  test.each([
    [["help", "system", "audit"], "Usage:  gantry system audit [OPTIONS]\n"],
    [["help", "system", "purge"], "Usage:  gantry system purge [OPTIONS]\n"],
    [["doctor", "--help"], "Usage:  gantry doctor [OPTIONS]\n"],
    [["help", "daemon"], "Usage:  gantry daemon [OPTIONS]\n"],
  ])("%p shows its help", async (argv, usage) => {
    const { code, out } = await run(...argv);
    expect([code, out.slice(0, usage.length)]).toEqual([0, usage]);
  });

  test.each([
    [["docter"], "  doctor\n"],
    [["deamon"], "  daemon\n"],
    [["system", "audti"], "  audit\n"],
  ])("%p is told from a slip", async (argv, suggestion) => {
    expect((await run(...argv)).err).toContain(`Did you mean this?\n${suggestion}`);
  });

  test("says so when options stand before its name", async () => {
    expect(await run("-D", "system", "audit")).toEqual({
      code: 1,
      out: "",
      err: "gantry: 'gantry system audit' takes no options before its name\n",
    });
  });
});

describe("completion", () => {
  test.each([
    [["ru"], "run\tMake a container from an image and start it\n"],
    [["volume", "pr"], "prune\tRemove unnamed volumes that no container uses\n"],
    [["ps", "--no"], "--no-trunc\tPrint long values in full\n"],
    [["daem"], "daemon\tRun the engine\n"],
    [["system", "pur"], "purge\tTake away all that an engine has made on this host\n"],
    [["system", "audit", "--de"], "--deep\tHash all blobs and layers again\n"],
    [["rm", "x"], ""],
  ])("of %p is %p", async (words, out) => {
    expect(await run("__complete", ...words)).toEqual({ code: 0, out, err: "" });
  });

  test.each(["bash", "zsh", "fish"])("for %s asks the program itself", async (shell) => {
    expect((await run("completion", shell)).out).toContain("gantry");
  });
});
