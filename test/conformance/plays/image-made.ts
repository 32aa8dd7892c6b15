import { archive, member, readAll } from "../../../src/lib/tar/fixtures.ts";
import { play, type PlayBook } from "../play.ts";
import type { Stage } from "../stage.ts";

const files = archive(member("etc/"), member("etc/f", {}, "hello")).toString("latin1");
const changes = [
  'CMD ["a","b"]',
  'ENV B=2 C="x y"',
  "EXPOSE 99/udp",
  "LABEL q=r",
  "VOLUME /data",
  "WORKDIR sub",
  "USER u",
  "STOPSIGNAL SIGINT",
];
const more = ["ONBUILD RUN echo", "HEALTHCHECK --interval=5s CMD true", 'ENTRYPOINT ["/e"]'];
const refused = [
  "RUN x",
  "FROM x",
  'SHELL ["/x"]',
  "MAINTAINER me",
  "BOGUS x",
  "USER",
  "EXPOSE abc",
  "STOPSIGNAL foo",
  "ENV foo",
  "LABEL foo",
];

const query = (values: readonly string[]): string => values.map((value) => `changes=${encodeURIComponent(value)}`).join("&");

/** Commits a container under a name of the play's own. */
async function committed(t: Stage, container: string, suffix: string): Promise<string> {
  const { Id } = (await t.quiet("POST", `/commit?container=${container}&repo=${t.name(suffix)}&tag=1&pause=0`)) as { Id: string };
  t.ownImage(`${t.name(suffix)}:1`);
  t.know(Id, `image ${suffix}`);
  return Id;
}

/** A document of an archive without sizes: those of layers are of their tars, which no two daemons write alike. */
function sizeless(text: string | undefined): unknown {
  return JSON.parse(text ?? "null", (key, value: unknown) => (key === "size" ? typeof value : value));
}

/** The documents of an archive. */
async function saved(t: Stage, path: string): Promise<void> {
  const members = new Map(readAll(await t.bytes(path)).map(({ entry, content }) => [entry.path, content.toString()]));
  t.note(`manifest.json of GET ${path}`, sizeless(members.get("manifest.json")));
  t.note(`index.json of GET ${path}`, sizeless(members.get("index.json")));
  t.note(`repositories of GET ${path}`, sizeless(members.get("repositories")));
}

/** Images made of containers and of archives, and written to archives. */
export const imageMade: PlayBook = {
  noun: "image-made",
  plays: [
    play("commit with every change (IMG-36)", async (t) => {
      const container = await t.ended(["sh", "-c", "echo hi >/f"], { Labels: { lab: "x" }, Env: ["A=1"], WorkingDir: "/work" });
      const name = t.ownImage(`${t.name("i")}:v1`);
      await t.call(
        "POST",
        `/commit?container=${container}&repo=${t.name("i")}&tag=v1&author=me&comment=about&${query([...changes, ...more])}`,
      );
      await t.call("GET", `/images/${name}/json`, { values: ["Config", "Author", "Comment", "Os", "Architecture", "RepoTags"] });
      await t.call("GET", `/images/${name}/json`, { version: "v1.43", values: ["ContainerConfig.Env", "ContainerConfig.Cmd"] });
      await t.call("GET", `/images/${name}/history`, { values: ["CreatedBy", "Comment"] });
      await t.events("commit");
    }),
    play("commit of a running container, frozen or not (compat 34)", async (t) => {
      const container = await t.running();
      await t.docker("commit", container, t.ownImage(`${t.name("i")}:p`));
      await t.docker("commit", "--pause=false", container, t.ownImage(`${t.name("i")}:n`));
      await t.reaches(container, "running");
      await t.events("unpause");
    }),
    play("commit of a container that has changed nothing", async (t) => {
      const container = await t.ended(["true"]);
      await committed(t, container, "i");
      await t.call("GET", `/images/${t.name("i")}:1/json`, { values: ["Config"] });
    }),
    play("commits that are refused", async (t) => {
      const container = await t.ended(["true"]);
      for (const change of refused) await t.call("POST", `/commit?container=${container}&pause=0&${query([change])}`);
      await t.call("POST", `/commit?container=${t.name("nobody")}`);
      await t.call("POST", `/commit?container=${container}&repo=UPPER`);
      await t.call("POST", `/commit?container=${container}&repo=${t.name("i")}&tag=a+b`);
      await t.docker("commit", container, "Bad Name");
      await t.docker("commit", container, `${t.name("i")}@sha256:${"0".repeat(64)}`);
      await t.docker("commit");
    }),
    play("an image that another was made from", async (t) => {
      const container = await t.ended(["sh", "-c", "echo hi >/f"]);
      const parent = await committed(t, container, "parent");
      const child = await t.container({ Image: `${t.name("parent")}:1`, Cmd: ["true"] });
      await committed(t, child, "child");
      await t.call("GET", `/images/${t.name("child")}:1/json`, { values: ["Parent"] });
      await t.quiet("DELETE", `/containers/${child}`);
      await t.quiet("DELETE", `/containers/${container}`);
      await t.call("DELETE", `/images/${parent}`);
      await t.call("DELETE", `/images/${parent}?force=1`);
      await t.call("DELETE", `/images/${t.name("parent")}:1`, { values: [""] });
      await t.call("GET", `/images/${parent}/json`, { values: ["RepoTags"] });
      await t.call("DELETE", `/images/${t.name("child")}:1`, { only: ["[].Untagged"] });
      await t.call("GET", `/images/${parent}/json`);
    }),
    play("import (IMG-38)", async (t) => {
      const name = t.ownImage(`${t.name("i")}:v1`);
      await t.call("POST", `/images/create?fromSrc=-&repo=${t.name("i")}&tag=v1&message=about&${query(['CMD ["a"]', "ENV A=1"])}`, {
        body: files,
      });
      await t.call("GET", `/images/${name}/json`, { values: ["Config", "Comment", "Author", "Parent", "Os", "RepoTags"] });
      await t.call("GET", `/images/${name}/history`, { values: ["CreatedBy", "Comment", "Tags"] });
      const other = t.ownImage(`${t.name("j")}:latest`);
      await t.call("POST", `/images/create?fromSrc=-&repo=${t.name("j")}&platform=linux/arm/v7`, { body: files });
      await t.call("GET", `/images/${other}/json`, { values: ["Comment", "Os", "Architecture", "Variant"] });
      await t.events("tag");
    }),
    play("imports that are refused", async (t) => {
      for (const values of ["platform=bogus", "platform=windows/amd64", "repo=UPPER", query(["RUN x"]), `repo=x@sha256:${"0".repeat(64)}`])
        await t.call("POST", `/images/create?fromSrc=-&${values}`, { body: files });
      await t.docker("import");
      await t.docker("import", "/nosuch/file.tar");
    }),
    play("save of names, ids and repositories (IMG-37, compat 36)", async (t) => {
      const container = await t.ended(["sh", "-c", "echo hi >/f"]);
      const id = await committed(t, container, "i");
      await t.quiet("POST", `/images/${t.name("i")}:1/tag?repo=${t.name("i")}&tag=2`);
      t.ownImage(`${t.name("i")}:2`);
      await saved(t, `/images/get?names=${t.name("i")}`);
      await saved(t, `/images/${t.name("i")}:2/get`);
      await saved(t, `/images/${id}/get`);
    }),
    play("saves that are refused", async (t) => {
      for (const name of ["gantry-missing:1", "gantry-missing", "UPPER", "busybox:nosuch"])
        await t.call("GET", `/images/get?names=${name}`);
      await t.call("GET", `/images/busybox/get?platform=${encodeURIComponent('{"os":"linux","architecture":"s390x"}')}`);
      await t.docker("save", "-o", "/nosuch/dir/x.tar", "busybox");
      await t.docker("save", "-o", "/dev/null", "busybox");
      await t.docker("save", "--platform", "bogus", "busybox");
      await t.docker("save");
    }),
  ],
};
