import { play, type PlayBook } from "../play.ts";
import { filterText } from "../query.ts";
import type { Stage } from "../stage.ts";
import { StandInRegistry } from "../stand-in-registry.ts";

const auth = (fields: object): { readonly "X-Registry-Auth": string } => ({
  "X-Registry-Auth": Buffer.from(JSON.stringify(fields)).toString("base64url"),
});
const alice = { username: "alice", password: "wonder-land" };
const nobody = auth({});

/** A registry whose address reads `<registry>` in the facts. */
async function registry(t: Stage, logIn?: "basic" | "token"): Promise<StandInRegistry> {
  const started = await StandInRegistry.start(logIn);
  t.know(started.host, "registry");
  return started;
}

async function tagged(t: Stage, repository: string, tag = "v1"): Promise<void> {
  await t.quiet("POST", `/images/busybox/tag?repo=${repository}&tag=${tag}`);
  t.ownImage(`${repository}:${tag}`);
}

/** The statuses of a push, in order but for those of layers; digests and sizes depend on how a daemon compresses. */
async function push(t: Stage, path: string, headers: Readonly<Record<string, string>> = nobody): Promise<void> {
  const { status, text } = await t.asked("POST", path, { headers });
  const messages = text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { id?: string; status?: string; error?: string; aux?: object });
  const told = messages.map(({ id, status: step, error, aux }) => {
    if (aux) return `aux ${Object.keys(aux).join(" ")}`;
    return (
      error ??
      `${id === undefined ? "" : "<layer>: "}${step ?? ""}`
        .replace(/ size: \d+$/, " size: <size>")
        .replace(/Retrying in \d+ seconds?/, "Retrying")
    );
  });
  const shown = told.filter((line, index) => line !== told[index - 1] && !/: (Pushing|Waiting|Retrying)$/.test(line));
  t.note(`POST ${path}`, { status, told: shown });
}

/** What registries are asked for: pushes, log-ins, searches, what a name stands for. */
export const registries: PlayBook = {
  noun: "registry",
  plays: [
    play("push of what is not here, and malformed ones", async (t) => {
      await using server = await registry(t);
      const here = `${server.host}/${t.unique}`;
      await tagged(t, here);
      for (const path of [
        "gantry-missing/push?tag=v1",
        "gantry-missing/push",
        `${here}/push?tag=v2`,
        `${here}@sha256:${"a".repeat(64)}/push`,
      ])
        await push(t, `/images/${path}`);
      const platform = (text: string): string => `${here}/push?tag=v1&platform=${encodeURIComponent(text)}`;
      for (const path of [
        "Upper/push?tag=v1",
        `${here}/push?tag=no%20such`,
        platform("nonsense"),
        platform('{"os":"linux"}'),
        platform('{"os":"linux","architecture":"s390x"}'),
      ])
        await t.call("POST", `/images/${path}`, { headers: nobody });
      await push(t, `/images/${here}/push?tag=v1`, {});
      await push(t, `/images/${here}/push?tag=v1`, { "X-Registry-Auth": "nonsense" });
    }),
    play("push", async (t) => {
      await using server = await registry(t);
      const here = `${server.host}/${t.unique}`;
      await tagged(t, here);
      await push(t, `/images/${here}/push?tag=v1`);
      await push(t, `/images/${here}/push?tag=v1`);
      await tagged(t, here, "v2");
      await push(t, `/images/${here}/push`);
      await push(t, `/images/${here}:v1/push?tag=v2`);
      await t.events("push");
      const { RepoDigests } = (await t.quiet("GET", `/images/${here}:v1/json`)) as { RepoDigests: string[] };
      t.note("names by digest", RepoDigests.filter((name) => name.startsWith(here)).length);
    }),
    play("push to a registry that refuses", async (t) => {
      await using server = await registry(t);
      for (const how of ["denied", "unauthorized", "unknown"]) {
        const there = `${server.host}/${how}/${t.unique}`;
        await tagged(t, there);
        await push(t, `/images/${there}/push?tag=v1`);
      }
    }),
    play("push to nobody", async (t) => {
      const there = `127.0.0.1:1/${t.unique}`;
      await tagged(t, there);
      await push(t, `/images/${there}/push?tag=v1`);
    }),
    play("push to a registry that wants to know who we are", async (t) => {
      for (const logIn of ["basic", "token"] as const) {
        await using server = await registry(t, logIn);
        const there = `${server.host}/${t.unique}`;
        await tagged(t, there);
        await push(t, `/images/${there}/push?tag=v1`);
        await push(t, `/images/${there}/push?tag=v1`, auth({ ...alice, password: "wrong" }));
        await push(t, `/images/${there}/push?tag=v1`, auth(alice));
      }
    }),
    play("pull from a registry that wants to know who we are", async (t) => {
      for (const logIn of ["basic", "token"] as const) {
        await using server = await registry(t, logIn);
        for (const headers of [{}, auth({ ...alice, password: "wrong" })])
          await t.call("POST", `/images/create?fromImage=${server.host}/images&tag=nosuch`, { headers });
      }
    }),
    play("log-in", async (t) => {
      await t.call("POST", "/auth");
      await t.call("POST", "/auth", { body: "nonsense" });
      await t.call("POST", "/auth", { body: { ...alice, serveraddress: "127.0.0.1:1" } });
      for (const logIn of [undefined, "basic", "token"] as const) {
        await using server = await registry(t, logIn);
        for (const serveraddress of [server.host, `http://${server.host}`, `https://${server.host}/v2/`])
          await t.call("POST", "/auth", { body: { ...alice, serveraddress }, values: [""] });
        await t.call("POST", "/auth", { body: { ...alice, password: "wrong", serveraddress: server.host } });
        await t.call("POST", "/auth", { body: { serveraddress: server.host } });
      }
    }),
    play("search", async (t) => {
      await using server = await registry(t);
      const at = (term: string, rest = ""): string => `/images/search?term=${server.host}/${term}${rest}`;
      await t.call("GET", at("busybox"), { values: [""] });
      await t.call("GET", at("team", "&limit=1"), { values: [""] });
      await t.call("GET", at("gantry-missing"), { values: [""] });
      for (const filters of [
        { "is-official": ["true"] },
        { "is-official": ["false"] },
        { "is-automated": ["true"] },
        { stars: ["10"] },
        { stars: ["1", "100"] },
      ])
        await t.call("GET", at("busybox", `&filters=${filterText(filters)}`), { values: [""] });
      for (const filters of [{ "is-official": ["maybe"] }, { stars: ["many"] }, { nonsense: ["x"] }])
        await t.call("GET", at("busybox", `&filters=${filterText(filters)}`));
      for (const limit of ["-1", "101", "many", "100", "0"]) await t.call("GET", at("busybox", `&limit=${limit}`));
      await t.call("GET", at("broken"));
      await t.call("GET", at("nonsense"));
      await t.call("GET", "/images/search?term=https://example.com/busybox");
      await t.call("GET", "/images/search?term=127.0.0.1:1/busybox");
    }),
    play("what a name stands for in its registry", async (t) => {
      await using server = await registry(t);
      for (const tag of ["docker", "oci", "list", "index"])
        await t.call("GET", `/distribution/${server.host}/images:${tag}/json`, { values: [""] });
      for (const name of [
        "images:nosuch",
        "images",
        `images@sha256:${"b".repeat(64)}`,
        "denied/a:1",
        "unauthorized/a:1",
        "unknown/a:1",
        "missing/a:1",
      ])
        await t.call("GET", `/distribution/${server.host}/${name}/json`);
      for (const name of ["Upper", `sha256:${"a".repeat(64)}`, "a".repeat(64), "127.0.0.1:1/a:1"])
        await t.call("GET", `/distribution/${name}/json`);
      for (const logIn of ["basic", "token"] as const) {
        await using careful = await registry(t, logIn);
        for (const headers of [{}, auth({ ...alice, password: "wrong" }), auth(alice)])
          await t.call("GET", `/distribution/${careful.host}/images:docker/json`, { headers });
      }
    }),
  ],
};
