import { play, type PlayBook } from "../play.ts";
import type { Stage } from "../stage.ts";

const both = "stream=1&stdout=1&stderr=1";

/** A script that waits for one line of input, so that nothing is printed before somebody listens. */
function answering(script: string): Readonly<Record<string, unknown>> {
  return { Cmd: ["sh", "-c", `read line; ${script}`], OpenStdin: true, StdinOnce: true, AttachStdin: true };
}

async function exitCode(t: Stage, id: string): Promise<void> {
  await t.call("POST", `/containers/${id}/wait`, { values: [""] });
}

/** Attach without a terminal. */
export const containerStreams: PlayBook = {
  noun: "container-streams",
  plays: [
    play("attach carries both outputs in frames and ends with the container (bugs 19, 20)", async (t) => {
      const id = await t.container(answering("echo out; echo err >&2; exit 3"), { start: true });
      await t.stream("POST", `/containers/${id}/attach?stdin=1&${both}`, { input: "go\n" });
      await exitCode(t, id);
    }),
    play("attach before the start hears everything", async (t) => {
      const id = await t.container({ Cmd: ["sh", "-c", "printf a; printf b >&2; echo c"], AttachStdout: true });
      const stream = t.stream("POST", `/containers/${id}/attach?logs=1&${both}`);
      await Bun.sleep(300);
      await t.quiet("POST", `/containers/${id}/start`);
      await stream;
    }),
    play("the end of stdin reaches the container (bug 23)", async (t) => {
      const id = await t.container({ Cmd: ["cat"], OpenStdin: true, StdinOnce: true }, { start: true });
      await t.stream("POST", `/containers/${id}/attach?stdin=1&${both}`, { input: "one\ntwo\n", endInput: true });
      await exitCode(t, id);
    }),
    play("attach to one stream only", async (t) => {
      const id = await t.container(answering("echo out; echo err >&2"), { start: true });
      await t.stream("POST", `/containers/${id}/attach?stdin=1&stream=1&stderr=1`, { input: "go\n" });
    }),
    play("attach without an Upgrade header is answered 200", async (t) => {
      const id = await t.container(answering("echo out"), { start: true });
      await t.stream("POST", `/containers/${id}/attach?stdin=1&${both}`, { input: "go\n", upgrade: false });
    }),
    play("attach with logs and without a stream ends at once", async (t) => {
      const id = await t.ended(["sh", "-c", "echo out; sleep 0.1; echo err >&2"]);
      await t.stream("POST", `/containers/${id}/attach?logs=1&stdout=1&stderr=1`);
      await t.stream("POST", `/containers/${id}/attach?logs=1&stderr=1`);
    }),
    play("attach to a container with a terminal is raw", async (t) => {
      const id = await t.container({ ...answering("echo out"), Tty: true }, { start: true });
      await t.stream("POST", `/containers/${id}/attach?stream=1&stdout=1&stdin=1`, { input: "go\n" });
    }),
    play("attach refuses: missing, paused, malformed keys", async (t) => {
      await t.call("POST", `/containers/${t.name()}/attach?${both}`);
      const id = await t.running();
      await t.call("POST", `/containers/${id}/attach?${both}&detachKeys=nonsense`);
      await t.quiet("POST", `/containers/${id}/pause`);
      await t.call("POST", `/containers/${id}/attach?${both}`);
      await t.quiet("POST", `/containers/${id}/unpause`);
    }),
    play("a client that detaches leaves the container running", async (t) => {
      const id = await t.container({ Cmd: ["cat"], OpenStdin: true, Tty: true }, { start: true });
      await t.stream("POST", `/containers/${id}/attach?stream=1&stdin=1&stdout=1`, { input: "\u0010\u0011" });
      await t.stream("POST", `/containers/${id}/attach?stream=1&stdin=1&stdout=1&detachKeys=ctrl-a,x`, { input: "\u0001x" });
      await t.call("GET", `/containers/${id}/json`, { values: ["State.Status"] });
    }),
    play("one write is one frame", async (t) => {
      const id = await t.container(answering("printf abc; sleep 0.2; printf def; sleep 0.2; printf ghi >&2"), { start: true });
      await t.stream("POST", `/containers/${id}/attach?stdin=1&${both}`, { input: "go\n", frames: true });
    }),
  ],
};
