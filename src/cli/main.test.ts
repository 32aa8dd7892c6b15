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

      Fetch the logs of a container

      Aliases:
        gantry container logs, gantry logs

      Options:
            --details        Show extra details provided to logs
        -f, --follow         Follow log output
            --since string   Show logs since timestamp (e.g.
                             "2013-01-02T13:23:37Z") or relative (e.g. "42m"
                             for 42 minutes)
        -n, --tail string    Number of lines to show from the end of the logs
                             (default "all")
        -t, --timestamps     Show timestamps
            --until string   Show logs before a timestamp (e.g.
                             "2013-01-02T13:23:37Z") or relative (e.g. "42m"
                             for 42 minutes)
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

describe("completion", () => {
  test.each([
    [["ru"], "run\tCreate and run a new container from an image\n"],
    [["volume", "pr"], "prune\tRemove unused local volumes\n"],
    [["ps", "--no"], "--no-trunc\tDon't truncate output\n"],
    [["rm", "x"], ""],
  ])("of %p is %p", async (words, out) => {
    expect(await run("__complete", ...words)).toEqual({ code: 0, out, err: "" });
  });

  test.each(["bash", "zsh", "fish"])("for %s asks the program itself", async (shell) => {
    expect((await run("completion", shell)).out).toContain("gantry");
  });
});
