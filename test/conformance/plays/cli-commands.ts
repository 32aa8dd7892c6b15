import { play, type PlayBook } from "../play.ts";
import type { Stage } from "../stage.ts";

/** `docker run --rm` with a name of the play's own. */
async function run(t: Stage, ...args: readonly string[]): Promise<void> {
  await t.docker("run", "--rm", "--name", t.name("r"), ...args);
}

/** Docker's own client: exit codes and everything that is printed. */
export const cliCommands: PlayBook = {
  noun: "cli-commands",
  plays: [
    play("docker run: output and exit codes", async (t) => {
      await run(t, "busybox", "echo", "hello");
      await run(t, "busybox", "sh", "-c", "echo out; echo err >&2; exit 42");
      await run(t, "busybox", "sh", "-c", "kill -9 $$");
      await run(t, "busybox", "/no/such/program");
      await run(t, "busybox", "/tmp");
      await run(t, "--entrypoint", "", "busybox", "echo", "x");
    }),
    play("docker run: options", async (t) => {
      await run(t, "-e", "A=1", "-w", "/tmp", "-u", "nobody", "-h", "box", "busybox", "sh", "-c", "echo $A; pwd; id; hostname");
      await run(t, "--tmpfs", "/t", "--read-only", "busybox", "sh", "-c", "touch /t/x && ! touch /x");
      await run(t, "--network", "none", "busybox", "ip", "-o", "link");
      await run(t, "--cap-drop", "ALL", "busybox", "chown", "1", "/tmp");
      await run(t, "--init", "busybox", "cat", "/proc/1/comm");
      await run(t, "-m", "32m", "--pids-limit", "20", "busybox", "true");
      await run(t, "--add-host", "other:1.2.3.4", "busybox", "grep", "other", "/etc/hosts");
      await run(t, "--ulimit", "nofile=100:200", "busybox", "sh", "-c", "ulimit -n; ulimit -Hn");
      await run(t, "--label", "a=b", "--log-driver", "none", "busybox", "echo", "x");
    }),
    play("docker run: refusals", async (t) => {
      await run(t, "--pull", "never", "gantry-missing");
      await run(t, "--network", "gantry-missing", "busybox");
      await run(t, "-v", "relative/path:/x", "busybox", "true");
      await run(t, "-p", "nonsense", "busybox");
      await run(t, "--cap-add", "NONSENSE", "busybox", "true");
      await run(t, "--memory", "1k", "busybox");
      await run(t, "--restart", "always", "busybox");
      await run(t, "--ip", "10.1.1.1", "busybox", "true");
      await run(t, "--log-driver", "nonsense", "busybox");
      await run(t, "--runtime", "nonsense", "busybox", "true");
      await run(t, "--device", "/dev/no-such", "busybox", "true");
      await run(t, "-u", "no-such-user", "busybox", "true");
    }),
    play("docker run: stdin", async (t) => {
      await t.dockerWithInput("one\ntwo\n", "run", "--rm", "-i", "--name", t.name("r"), "busybox", "cat");
      await t.dockerWithInput("one\n", "run", "--rm", "--name", t.name("r"), "busybox", "cat");
      await t.dockerWithInput("x", "run", "--rm", "-i", "--name", t.name("r"), "busybox", "wc", "-c");
    }),
    play("docker run -d, ps, logs, stop, rm", async (t) => {
      const filter = `name=${t.unique}`;
      await t.docker("run", "-d", "--name", t.name("d"), "-p", "127.0.0.1::80", "busybox", "sh", "-c", "echo started; exec sleep 1000");
      await t.docker("ps", "--filter", filter);
      await t.docker(
        "ps",
        "--filter",
        filter,
        "--format",
        "{{.Names}} {{.Image}} {{.Command}} {{.State}} {{.Networks}} {{.Mounts}} {{.Labels}} {{.LocalVolumes}}",
      );
      await t.docker("port", t.name("d"));
      await t.docker("logs", t.name("d"));
      await t.docker("pause", t.name("d"));
      await t.docker("ps", "--filter", filter, "--format", "{{.Status}}");
      await t.docker("unpause", t.name("d"));
      await t.docker("stop", "-t", "0", t.name("d"));
      await t.docker("ps", "-a", "--filter", filter);
      await t.docker("start", t.name("d"));
      await t.docker("kill", t.name("d"));
      await t.docker("rm", "-f", t.name("d"));
      await t.docker("ps", "-aq", "--filter", filter);
    }),
    play("docker create, start -a, wait, rename, inspect", async (t) => {
      await t.docker("create", "--name", t.name("c"), "busybox", "sh", "-c", "echo hi; exit 7");
      await t.docker("start", "-a", t.name("c"));
      await t.docker("wait", t.name("c"));
      await t.docker("rename", t.name("c"), t.name("e"));
      await t.docker(
        "inspect",
        "-f",
        "{{.Name}} {{.State.Status}} {{.State.ExitCode}} {{.Path}} {{.Args}} {{.RestartCount}} {{.Config.Image}} {{json .Config.Cmd}}",
        t.name("e"),
      );
      await t.docker("restart", "-t", "0", t.name("e"));
      await t.docker("rm", t.name("e"));
    }),
    play("docker exec", async (t) => {
      await t.docker("run", "-d", "--name", t.name("d"), "busybox", "sleep", "1000");
      await t.docker("exec", t.name("d"), "echo", "hello");
      await t.docker("exec", t.name("d"), "sh", "-c", "echo err >&2; exit 9");
      await t.dockerWithInput("in", "exec", "-i", t.name("d"), "cat");
      await t.docker("exec", t.name("d"), "/no/such/program");
      await t.docker("exec", "-u", "nobody", "-w", "/etc", "-e", "A=b", t.name("d"), "sh", "-c", "id -un; pwd; echo $A");
      await t.docker("exec", "-d", t.name("d"), "true");
      await t.docker("top", t.name("d"), "-o", "comm");
      await t.docker("kill", t.name("d"));
      await t.docker("exec", t.name("d"), "true");
      await t.docker("exec", t.name("missing"), "true");
    }),
    play("docker on what is missing", async (t) => {
      for (const command of [
        "start",
        "stop",
        "restart",
        "kill",
        "pause",
        "unpause",
        "rm",
        "logs",
        "top",
        "port",
        "wait",
        "attach",
        "inspect",
      ])
        await t.docker(command, t.name("missing"));
      await t.docker("rm", "-f", t.name("missing"));
      await t.docker("network", "rm", t.name("missing"));
      await t.docker("network", "inspect", t.name("missing"));
      await t.docker("volume", "rm", t.name("missing"));
      await t.docker("volume", "inspect", t.name("missing"));
      await t.docker("rmi", t.name("missing"));
      await t.docker("image", "inspect", t.name("missing"));
      await t.docker("history", t.name("missing"));
      await t.docker("tag", t.name("missing"), t.name("x"));
    }),
    play("docker network", async (t) => {
      const name = t.name("n");
      await t.docker("network", "create", name);
      await t.docker("network", "create", name);
      await t.docker("network", "ls", "--filter", `name=${t.unique}`);
      await t.docker("run", "-d", "--name", t.name("d"), "--network", name, "busybox", "sleep", "1000");
      await t.docker("network", "inspect", "-f", "{{.Name}} {{.Driver}} {{.Scope}} {{len .Containers}}", name);
      await t.docker("network", "rm", name);
      await t.docker("network", "connect", "bridge", t.name("d"));
      await t.docker("network", "disconnect", "bridge", t.name("d"));
      await t.docker("network", "disconnect", "bridge", t.name("d"));
      await t.docker("rm", "-f", t.name("d"));
      await t.docker("network", "rm", name);
    }),
    play("docker volume", async (t) => {
      const name = t.name("v");
      await t.docker("volume", "create", "--label", "a=b", name);
      await t.docker("volume", "create", name);
      await t.docker("volume", "ls", "--filter", `name=${t.unique}`);
      await run(t, "-v", `${name}:/v`, "busybox", "sh", "-c", "echo kept > /v/file");
      await run(t, "-v", `${name}:/v:ro`, "busybox", "sh", "-c", "cat /v/file; touch /v/x");
      await t.docker("create", "--name", t.name("c"), "-v", `${name}:/v`, "busybox");
      await t.docker("volume", "rm", name);
      await t.docker("rm", t.name("c"));
      await t.docker("volume", "rm", name);
    }),
    play("docker image", async (t) => {
      const name = t.ownImage(`${t.name("i")}:v1`);
      await t.docker("tag", "busybox", name);
      await t.docker("images", t.name("i"));
      await t.docker("images", "--format", "{{.Repository}}:{{.Tag}} {{.Digest}}", t.name("i"));
      await t.docker("history", "--format", "{{.CreatedBy}} {{.Size}}", name);
      await t.docker("image", "inspect", "-f", "{{.Os}} {{.Architecture}} {{json .Config.Cmd}}", name);
      await t.docker("create", "--name", t.name("c"), name);
      await t.docker("rmi", name);
      await t.docker("rm", t.name("c"));
      await t.docker("rmi", name);
      await t.docker("tag", "busybox", "Bad:Name");
      await t.docker("rmi", "Bad");
    }),
    play("docker container prune, with a filter", async (t) => {
      await t.docker("run", "--name", t.name("p"), "--label", `gantry.play=${t.unique}`, "busybox", "true");
      await t.docker("container", "prune", "-f", "--filter", `label=gantry.play=${t.unique}`);
      await t.docker("volume", "prune", "-f", "--filter", `label=gantry.play=${t.unique}`);
      await t.docker("network", "prune", "-f", "--filter", `label=gantry.play=${t.unique}`);
    }),
    play("docker logs", async (t) => {
      await t.docker("run", "--name", t.name("l"), "busybox", "sh", "-c", "echo one; sleep 0.1; echo two; sleep 0.1; echo three >&2");
      await t.docker("logs", t.name("l"));
      await t.docker("logs", "--tail", "1", t.name("l"));
      await t.docker("logs", "-t", t.name("l"));
      await t.docker("logs", "--since", "1h", "-f", t.name("l"));
    }),
    play("docker attach", async (t) => {
      await t.docker("run", "-d", "--name", t.name("a"), "busybox", "sh", "-c", "sleep 1; echo late; sleep 0.3; exit 5");
      await t.docker("attach", "--no-stdin", t.name("a"));
    }),
    play("docker version, and commands of a swarm without one", async (t) => {
      await t.docker("version", "--format", "{{.Server.Os}} {{.Server.MinAPIVersion}}");
      for (const command of [
        ["node", "ls"],
        ["service", "ls"],
        ["stack", "ls"],
        ["secret", "ls"],
        ["config", "ls"],
        ["swarm", "leave"],
      ])
        await t.docker(...command);
    }),
    play("docker update, cp, diff, commit, export, stats", async (t) => {
      await t.docker("run", "-d", "--name", t.name("d"), "busybox", "sleep", "1000");
      await t.docker("diff", t.name("missing"));
      await t.docker("update", "--restart", "no", t.name("missing"));
      await t.docker("cp", `${t.name("missing")}:/x`, "/tmp/none");
      await t.docker("export", "-o", "/dev/null", t.name("missing"));
      await t.docker("commit", t.name("missing"));
      await t.docker("stats", "--no-stream", t.name("missing"));
    }),
  ],
};
