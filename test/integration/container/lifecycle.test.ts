import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const state = async (name: string, format = "{{.State.Status}} {{.State.ExitCode}}") =>
  (await cli("inspect", name, "--format", format)).stdout.trim();

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

/** Runs a container in the background that is removed whatever happens. */
async function background(name: string, ...command: string[]): Promise<AsyncDisposable> {
  const { code, stderr } = await cli("run", "-d", "--name", name, ...command);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return { [Symbol.asyncDispose]: async () => void (await cli("rm", "-f", "-v", name)) };
}

describe("a container", () => {
  test("goes from created to running to exited, and can be started again", async () => {
    expect((await cli("create", "--name", "life", busybox, "sh", "-c", "sleep 0.2; exit 3")).code).toBe(0);
    expect(await state("life")).toBe("created 0");
    expect((await cli("start", "life")).code).toBe(0);
    expect((await cli("wait", "life")).stdout).toBe("3\n");
    expect(await state("life")).toBe("exited 3");
    expect((await cli("start", "life")).code).toBe(0);
    expect((await cli("wait", "life")).stdout).toBe("3\n");
    expect((await cli("rm", "life")).stdout).toBe("life\n");
  });

  test("that is stopped ends by its stop signal, and by SIGKILL after the timeout", async () => {
    await using _polite = await background("polite", busybox, "sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.1; done");
    await using _deaf = await background("deaf", busybox, "sleep", "1000");
    expect((await cli("stop", "polite")).code).toBe(0);
    expect(await state("polite")).toBe("exited 5");
    expect((await cli("stop", "-t", "1", "deaf")).code).toBe(0);
    expect(await state("deaf")).toBe("exited 137");
  }, 30_000);

  test("stop answers 304 and start answers 304 where nothing is to do", async () => {
    await using _one = await background("twice", busybox, "sleep", "1000");
    expect((await daemon.request("POST", "/containers/twice/start")).status).toBe(304);
    await cli("stop", "-t", "0", "twice");
    expect((await daemon.request("POST", "/containers/twice/stop")).status).toBe(304);
  });

  test("a stop by a signal that does not exist is no stop: the restart policy still holds", async () => {
    await using _one = await background("stays", "--restart", "always", busybox, "sh", "-c", "sleep 1; exit 1");
    expect(await daemon.request("POST", "/containers/stays/stop?signal=NONSENSE")).toMatchObject({
      status: 400,
      body: { message: "cannot stop container: stays: invalid signal: NONSENSE" },
    });
    await until(async () => Number(await state("stays", "{{.RestartCount}}")) > 0);
  }, 30_000);

  test("may share the network of one that is not there yet, which a rename does not change", async () => {
    expect((await cli("create", "--name", "guest", "--network", "container:landlord", busybox, "true")).code).toBe(0);
    expect((await cli("start", "guest")).stderr).toContain("No such container: landlord");
    await using _host = await background("landlord", busybox, "sleep", "1000");
    expect((await cli("start", "-a", "guest")).code).toBe(0);
    await using _other = await background("tenant", "--network", "container:landlord", busybox, "true");
    await cli("rename", "landlord", "owner");
    expect((await cli("start", "-a", "tenant")).code).toBe(0);
    expect((await cli("rename", "owner", "landlord")).code).toBe(0);
    await cli("rm", "guest");
  });

  test("that runs cannot be removed without force", async () => {
    await using _one = await background("busy", busybox, "sleep", "1000");
    const refused = await cli("rm", "busy");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("stop the container before removing or force remove");
    expect((await cli("rm", "-f", "busy")).stdout).toBe("busy\n");
    expect((await cli("inspect", "busy")).code).toBe(1);
  });

  test("a name is free as soon as its removal is answered", async () => {
    for (let round = 0; round < 5; round++) {
      expect((await cli("run", "--name", "again", busybox, "true")).code).toBe(0);
      expect((await cli("rm", "again")).code).toBe(0);
    }
  });

  test("a taken name is refused with the owner's id", async () => {
    await using _one = await background("taken", busybox, "sleep", "1000");
    const id = await state("taken", "{{.Id}}");
    expect((await cli("create", "--name", "taken", busybox)).stderr).toContain(
      `Conflict. The container name "/taken" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
    );
  });

  test("E9: of many creates with one name, one wins", async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => daemon.request("POST", "/containers/create?name=race", { Image: busybox })),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
    await cli("rm", "race");
  });

  test("is renamed, and found by id, prefix and new name", async () => {
    await using _one = await background("before", busybox, "sleep", "1000");
    const id = await state("before", "{{.Id}}");
    expect((await cli("rename", "before", "after")).code).toBe(0);
    for (const name of ["after", id, id.slice(0, 12)]) expect(await state(name, "{{.Name}}")).toBe("/after");
    await cli("rm", "-f", "after");
  });

  test("is paused and goes on", async () => {
    await using _one = await background("frozen", busybox, "sleep", "1000");
    expect((await cli("pause", "frozen")).stdout).toBe("frozen\n");
    expect(await state("frozen")).toBe("paused 0");
    expect((await cli("exec", "frozen", "true")).stderr).toContain("is paused, unpause the container before exec");
    expect((await cli("unpause", "frozen")).stdout).toBe("frozen\n");
    expect(await state("frozen")).toBe("running 0");
  });

  test("top shows its processes with pids of the host", async () => {
    await using _one = await background("topped", busybox, "sleep", "1000");
    const pid = await state("topped", "{{.State.Pid}}");
    // Arguments that say nothing of which processes: ps alone would show those of a terminal.
    expect((await cli("top", "topped", "-o", "user,pid,comm")).stdout).toMatch(/^root +\d+ +sleep$/m);
    const { stdout } = await cli("top", "topped", "-eo", "pid,comm");
    expect(stdout).toMatch(new RegExp(`PID\\s+COMMAND\\n${pid}\\s+sleep`));
  });

  test("H5: on-failure:2 starts it twice again, and no more", async () => {
    await using _one = await background("failing", "--restart", "on-failure:2", busybox, "sh", "-c", "exit 4");
    await until(async () => (await state("failing", "{{.State.Status}} {{.RestartCount}}")) === "exited 2");
    expect(await state("failing")).toBe("exited 4");
  });

  test("H5: a stop ends a restart loop", async () => {
    await using _one = await background("looping", "--restart", "always", busybox, "false");
    await until(async () => Number(await state("looping", "{{.RestartCount}}")) >= 2);
    await cli("stop", "looping");
    const count = await state("looping", "{{.RestartCount}}");
    await Bun.sleep(1500); // longer than the next delay would be
    expect(await state("looping", "{{.State.Status}} {{.RestartCount}}")).toBe(`exited ${count}`);
  }, 30_000);

  test("wait answers for a removal too", async () => {
    await using _one = await background("waited", "--rm", busybox, "sleep", "0.3");
    const response = await fetch("http://d/containers/waited/wait?condition=removed", { unix: daemon.socket, method: "POST" });
    expect(await response.json()).toEqual({ StatusCode: 0 });
    expect((await cli("inspect", "waited")).code).toBe(1);
  });

  test("prune removes what has ended, and nothing else", async () => {
    await using _one = await background("kept", busybox, "sleep", "1000");
    await cli("run", "--name", "gone", busybox, "true");
    expect((await cli("container", "prune", "-f")).stdout).toContain("Deleted Containers:");
    expect(await state("kept")).toBe("running 0");
    expect((await cli("inspect", "gone")).code).toBe(1);
  });
});

test("an attach can start its container: what fails is its answer, and the end is told also to who asks when the container is gone", async () => {
  const make = async (...Cmd: string[]): Promise<string> => {
    const { body } = await daemon.request("POST", "/containers/create", { Image: busybox, Cmd, HostConfig: { AutoRemove: true } });
    return (body as { Id: string }).Id;
  };
  const attach = (id: string) => daemon.request("POST", `/containers/${id}/attach?stream=1&stdout=1&start=1`);
  const id = await make("sh", "-c", "echo started; exit 5");
  expect((await attach(id)).text).toContain("started\n");
  await until(async () => (await daemon.request("GET", `/containers/${id}/json`)).status === 404);
  expect(await daemon.request("POST", `/containers/${id}/wait?condition=removed`)).toMatchObject({ status: 200, body: { StatusCode: 5 } });
  const absent = await attach(await make("nosuch"));
  expect(absent.status).toBe(400);
  expect(absent.text).toContain("executable file not found");
});
