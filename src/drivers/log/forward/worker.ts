/// Entry of the sender worker: the logs of all containers whose driver sends them somewhere. It is started by the first of them.
import { sleep } from "#lib/async.ts";
import { messageOf } from "#lib/errors.ts";
import type { ForwardReply, ForwardRequest } from "./protocol.ts";
import { ForwardRun } from "./run.ts";

declare const self: Worker;

const runs = new Map<string, ForwardRun>();

/** How long the removal of a container waits for its last records, and how long while its server takes none. */
const removeMilliseconds = 10_000;
const idleMilliseconds = 1500;
const checkMilliseconds = 100;
const stopMilliseconds = 2000;

function reply(message: ForwardReply): void {
  self.postMessage(message);
}

async function open({ config, connectFirst, ended }: Extract<ForwardRequest, { type: "open" }>): Promise<void> {
  const { containerId } = config;
  const before = runs.get(containerId);
  const run = new ForwardRun(config, (message) => reply({ type: "trouble", containerId, message }));
  // At once: its end or removal may come while it connects.
  runs.set(containerId, run);
  if (ended) run.end();
  void run.finished.then(() => {
    if (runs.get(containerId) === run) runs.delete(containerId);
  });
  // What the run before has not sent yet is sent by this one.
  if (before) await stop(before);
  await run.begin(connectFirst);
}

/** Whoever looks up a name cannot be stopped: that is not waited for. */
async function stop(run: ForwardRun): Promise<void> {
  await Promise.race([run.stop(), sleep(stopMilliseconds)]);
}

async function remove(containerId: string): Promise<void> {
  const run = runs.get(containerId);
  if (!run) return;
  run.end();
  let done = false;
  void run.finished.then(() => (done = true));
  const end = performance.now() + removeMilliseconds;
  let sent = run.sentRecords;
  for (let idleUntil = performance.now() + idleMilliseconds; !done && performance.now() < Math.min(end, idleUntil);) {
    await Promise.race([run.finished, sleep(checkMilliseconds)]);
    if (run.sentRecords !== sent) idleUntil = performance.now() + idleMilliseconds;
    sent = run.sentRecords;
  }
  await stop(run);
}

async function handle(request: ForwardRequest): Promise<void> {
  switch (request.type) {
    case "open":
      return open(request);
    case "end":
      return runs.get(request.containerId)?.end();
    case "remove":
      return remove(request.containerId);
    case "close":
      await Promise.all([...runs.values()].map(stop));
  }
}

self.onmessage = async (event: MessageEvent<ForwardRequest>) => {
  const request = event.data;
  let error: string | undefined;
  try {
    await handle(request);
  } catch (problem) {
    error = messageOf(problem);
  }
  if ("sequence" in request) reply({ type: "done", sequence: request.sequence, ...(error !== undefined && { error }) });
};
