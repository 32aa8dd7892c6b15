import { play, type PlayBook } from "../play.ts";
import type { Stage } from "../stage.ts";

const json = { "Content-Type": "application/json" };

/** A body that is no object of ours, as text. */
async function send(t: Stage, path: string, body: string, headers: Readonly<Record<string, string>> = json): Promise<void> {
  const { json } = await t.call("POST", path, { body, headers });
  // An empty body makes a volume without a name.
  if (path === "/volumes/create" && isNamed(json)) await t.quiet("DELETE", `/volumes/${json.Name}`);
}

function isNamed(json: unknown): json is { Name: string } {
  return typeof json === "object" && json !== null && "Name" in json;
}

/** Bodies, types and queries that no client of Docker sends. */
export const badInput: PlayBook = {
  noun: "bad-input",
  plays: [
    play("bodies that are not JSON", async (t) => {
      const create = `/containers/create?name=${t.name()}`;
      for (const body of [
        "{invalid",
        "{",
        "",
        "null",
        "[]",
        '"text"',
        "1",
        "{} {}",
        '{"Image":"busybox"} x',
        '{"Image":1}',
        '{"Image":"busybox","Cmd":1}',
        '{"Image":"busybox","HostConfig":[]}',
        '{"Image":"busybox","HostConfig":{"Memory":"1"}}',
        '{"Image":"busybox","HostConfig":{"Memory":1.5}}',
        '{"Image":"busybox","HostConfig":{"Memory":1e100}}',
        '{"Image":"busybox","Env":{"a":"b"}}',
        '{"Image":"busybox","Labels":["a"]}',
        '{"Image":"busybox","Tty":"true"}',
        '{"Image":"\\ud800"',
        "{'a':1}",
        '{"a":1,}',
        "tru",
      ])
        await send(t, create, body);
    }),
    play("content types that are not JSON", async (t) => {
      const create = `/containers/create?name=${t.name()}`;
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-8",
        "application/JSON",
        "nonsense",
        "application/xml",
      ])
        await send(t, create, "{}", { "Content-Type": type });
      await send(t, create, "{}", {});
      await send(t, "/networks/create", "{}", { "Content-Type": "text/plain" });
      await send(t, "/volumes/create", "{}", { "Content-Type": "text/plain" });
      await send(t, `/containers/${t.name()}/exec`, "{}", { "Content-Type": "text/plain" });
    }),
    play("bodies of networks, volumes and execs", async (t) => {
      for (const path of [
        "/networks/create",
        "/volumes/create",
        `/containers/${t.name()}/exec`,
        `/networks/${t.name()}/connect`,
        `/networks/${t.name()}/disconnect`,
      ])
        for (const body of ["", "{invalid", "[]", '{"Name":1,"Container":1,"Cmd":1}']) await send(t, path, body);
    }),
    play("booleans and numbers of queries", async (t) => {
      const id = await t.container();
      for (const query of ["all=yes", "all=2", "all=", "all=True", "all=F", "limit=", "limit=1.5", "size=maybe"])
        await t.call("GET", `/containers/json?${query}&filters=${encodeURIComponent(JSON.stringify({ name: [t.unique] }))}`);
      for (const query of ["t=a", "t=1.5", "t=", "t=99999999999999999999"]) await t.call("POST", `/containers/${id}/stop?${query}`);
    }),
    play("filters that are malformed", async (t) => {
      const texts = [
        "nonsense",
        "[]",
        '"x"',
        "{",
        '{"name":"x"}',
        '{"name":["gantry-none"]}',
        '{"name":{"gantry-none":true}}',
        '{"name":{"gantry-none":false}}',
        '{"name":[1]}',
        "null",
        "{}x",
      ];
      for (const text of texts) await t.list(`/volumes?filters=${encodeURIComponent(text)}`);
      await t.call("GET", "/networks?filters=nonsense");
      await t.call("GET", "/images/json?filters=nonsense");
      await t.call("GET", "/containers/json?filters=nonsense");
      await t.call("POST", "/containers/prune?filters=nonsense");
    }),
    play("names that escape their place", async (t) => {
      for (const name of ["..", "%2e%2e", "a%2Fb", "%00", "%ff", "%", "a?b", "x".repeat(5000)])
        await t.call("GET", `/containers/${name}/json`);
      for (const name of ["..", "a%2Fb", "%00"]) await t.call("GET", `/volumes/${name}`);
    }),
    play("names that are special elsewhere", async (t) => {
      for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
        await t.call("GET", `/containers/${name}/json`);
        await t.call("GET", `/networks/${name}`);
        await t.call("GET", `/volumes/${name}`);
        await t.call("GET", `/images/${name}/json`);
      }
    }),
  ],
};
