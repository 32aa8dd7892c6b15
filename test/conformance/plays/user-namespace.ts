import { play, type PlayBook } from "../play.ts";

const create = "/containers/create";

/** User namespaces asked of a daemon that maps nothing, and the namespaces that containers share. */
export const userNamespaces: PlayBook = {
  noun: "user-namespace",
  plays: [
    play("--userns=host is accepted, with all that the host's namespace allows", async (t) => {
      const run = (...args: readonly string[]) => t.docker("run", "--rm", "--name", t.name("r"), "--userns=host", ...args);
      await run("busybox", "cat", "/proc/self/uid_map");
      await run("--privileged", "--network", "host", "--pid", "host", "busybox", "echo", "started");
      const id = await t.container({ HostConfig: { UsernsMode: "host" } });
      await t.call("GET", `/containers/${id}/json`, { only: ["HostConfig.UsernsMode"] });
    }),
    play("other user namespaces", async (t) => {
      await t.docker("run", "--rm", "--userns=foo", "busybox", "true");
      await t.docker("create", "--userns=private", "busybox", "true");
      for (const UsernsMode of ["foo", "private"])
        await t.call("POST", `${create}?name=${t.name(UsernsMode)}`, {
          body: { Image: "busybox", Cmd: ["true"], HostConfig: { UsernsMode } },
        });
    }),
    play("shared memory of another container", async (t) => {
      const script = "echo there > /dev/shm/file; sleep 1000";
      const owner = await t.running({ Cmd: ["sh", "-c", script], HostConfig: { IpcMode: "shareable" } }, t.name("owner"));
      const run = (...args: readonly string[]) =>
        t.docker("run", "--rm", "--name", t.name("r"), "--ipc", `container:${t.name("owner")}`, ...args);
      await run("busybox", "sh", "-c", "cat /dev/shm/file; echo back > /dev/shm/answer");
      await t.docker("exec", owner, "cat", "/dev/shm/answer");
      await run("--pid", `container:${t.name("owner")}`, "--network", `container:${t.name("owner")}`, "busybox", "cat", "/dev/shm/answer");
      await t.docker("kill", owner);
      await t.reaches(owner, "exited");
      await run("busybox", "true");
    }),
  ],
};
