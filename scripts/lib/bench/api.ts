import { median, type Medians } from "./measure.ts";
import { image, type Subject } from "./subject.ts";

/** An engine spoken to without a client program: connections are kept, as an SDK does. */
class Engine {
  readonly #socket: string;

  constructor(socket: string) {
    this.#socket = socket;
  }

  async call(method: string, path: string, body?: unknown): Promise<string> {
    const answer = await fetch(`http://engine/v1.44${path}`, {
      unix: this.#socket,
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text;
  }

  async make(path: string, body: unknown): Promise<string> {
    const { Id } = JSON.parse(await this.call("POST", path, body)) as { Id: string };
    return Id;
  }
}

interface ApiCase {
  readonly name: string;
  /** One measured round on a container that runs. */
  readonly act: (engine: Engine, container: string) => Promise<() => Promise<unknown>>;
}

const nothingToUndo = (): Promise<void> => Promise.resolve();

const cases: readonly ApiCase[] = [
  {
    name: "create by the API",
    act: async (engine) => {
      const id = await engine.make("/containers/create", { Image: image, Cmd: ["true"] });
      return () => engine.call("DELETE", `/containers/${id}`);
    },
  },
  {
    name: "exec by the API, create and attached start",
    act: async (engine, container) => {
      const id = await engine.make(`/containers/${container}/exec`, { Cmd: ["true"], AttachStdout: true, AttachStderr: true });
      await engine.call("POST", `/exec/${id}/start`, { Detach: false, Tty: false });
      return nothingToUndo;
    },
  },
];

/** What an engine itself takes, without the start of a client program: interleaved like the commands. */
export async function measureApi(subjects: readonly Subject[], rounds: number): Promise<Map<string, Medians>> {
  const engines = await Promise.all(
    subjects.flatMap(({ name, socket }) => (socket === undefined ? [] : [withContainer(name, new Engine(socket))])),
  );
  const results = new Map<string, Medians>();
  for (const { name, act } of cases) {
    const times = new Map(engines.map((engine) => [engine.name, [] as number[]]));
    for (let round = 0; round < rounds; round++) {
      for (const { name: subject, engine, container } of engines) {
        const started = performance.now();
        const undo = await act(engine, container);
        times.get(subject)?.push(performance.now() - started);
        await undo();
        await Bun.sleep(20); // what the engine has left to do
      }
    }
    results.set(name, new Map([...times].map(([subject, values]) => [subject, median(values)])));
  }
  for (const { engine, container } of engines) await engine.call("DELETE", `/containers/${container}?force=1`);
  return results;
}

async function withContainer(name: string, engine: Engine): Promise<{ name: string; engine: Engine; container: string }> {
  const container = await engine.make("/containers/create", { Image: image, Cmd: ["sleep", "100000"] });
  await engine.call("POST", `/containers/${container}/start`);
  return { name, engine, container };
}

/** Milliseconds of one list of all containers, asked for by `together` connections at once for a second. */
export async function measureListRate(socket: string, together = 4): Promise<number> {
  const engine = new Engine(socket);
  let answered = 0;
  const started = performance.now();
  const ask = async (): Promise<void> => {
    while (performance.now() - started < 1000) {
      await engine.call("GET", "/containers/json?all=1");
      answered++;
    }
  };
  await Promise.all(Array.from({ length: together }, ask));
  return (performance.now() - started) / answered;
}
