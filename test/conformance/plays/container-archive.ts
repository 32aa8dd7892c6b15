import { archive, member, readAll } from "../../../src/lib/tar/fixtures.ts";
import { play, type PlayBook } from "../play.ts";
import { recordedVersion, type Stage } from "../stage.ts";
import { exchange } from "../wire.ts";

const contents =
  "mkdir /d /d/sub; echo one >/d/a; ln -s a /d/l; ln -s /d /dl; ln -s /nowhere /dead; echo two >/d/sub/b; ln /d/a /d/hard; mkfifo /d/fifo; chmod 4711 /d/sub/b; touch /ready; sleep 100000";
/** Created by the container itself, so that the image's own names stay out of the facts. */
const withFiles = { Cmd: ["sh", "-c", contents], HostConfig: { Binds: ["/srv:/bind:ro"] }, Volumes: { "/v": {} } };

async function filled(t: Stage, config: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const id = await t.running({ ...withFiles, ...config });
  for (let tries = 0; tries < 200 && (await exchangeOf(t, "HEAD", `${id}/archive?path=/ready`)).status !== 200; tries++)
    await Bun.sleep(25);
  return id;
}

const exchangeOf = (t: Stage, method: string, rest: string) =>
  exchange(t.socket, { method, path: `/${recordedVersion}/containers/${rest}` });

/** What the header tells, without times, and without the size that a file system gives a directory. */
async function noteStat(t: Stage, id: string, path: string): Promise<void> {
  const { status, headers } = await exchangeOf(t, "HEAD", `${id}/archive?path=${path}`);
  const header = headers["x-docker-container-path-stat"];
  const { name, size, mode, linkTarget, ...rest } = JSON.parse(Buffer.from(header ?? "e30=", "base64").toString()) as Record<
    string,
    unknown
  >;
  const isDirectory = typeof mode === "number" && mode >= 2 ** 31;
  t.note(`stat of ${path}`, { status, name, ...(!isDirectory && { size }), mode, linkTarget, others: Object.keys(rest).sort().join() });
}

/** The entries of an archive with all that does not change from run to run. */
async function noteEntries(t: Stage, what: string, id: string, rest: string, shown = (_path: string) => true): Promise<void> {
  const { body, headers } = await exchangeOf(t, "GET", `${id}/${rest}`);
  const entries = readAll(body).filter(({ entry }) => shown(entry.path));
  t.note(what, {
    type: headers["content-type"] ?? "",
    entries: entries.map(({ entry, content }) => {
      const { path, type, mode, uid, gid, link, userName, modified } = entry;
      return `${path} ${type} ${mode.toString(8)} ${uid}:${gid} ${userName} ${modified.nanoseconds} ${link} ${content.toString().trim()}`;
    }),
  });
}

async function noteChanges(t: Stage, id: string): Promise<void> {
  const { body, status } = await exchangeOf(t, "GET", `${id}/changes`);
  const list = JSON.parse(body.toString()) as { Path: string; Kind: number }[] | null;
  t.note("changes, sorted", { status, changes: list && list.map(({ Path, Kind }) => `${Kind} ${Path}`).toSorted() });
}

const small = archive(member("f", { uid: 7, gid: 8, mode: 0o640 }, "content")).toString("latin1");
const folder = archive(member("f/"), member("f/g", {}, "g")).toString("latin1");
const put = (t: Stage, id: string, query: string, body = small) => t.call("PUT", `/containers/${id}/archive?${query}`, { body });

/** Copying in and out, changes, export. */
export const containerArchive: PlayBook = {
  noun: "container-archive",
  plays: [
    play("archive: what a path is", async (t) => {
      const id = await filled(t);
      for (const path of ["/d/a", "/d", "/d/", "/d/.", "d/a", "/d/../d/sub", "/", ".", "/d/l", "/dl", "/dl/", "/dl/l", "/dead", "/d/fifo"])
        await noteStat(t, id, path);
      for (const path of ["/d/sub/b", "/bin/ping", "/bind", "/v", "/none", "/proc/version", "/dev/null", "/etc/hostname"])
        await noteStat(t, id, path);
    }),
    play("archive: names of what is sent", async (t) => {
      const id = await filled(t);
      for (const path of ["/d/a", "/d", "/d/", "/d/.", "d/sub", "/dl", "/dl/", "/dl/.", "/d/l", "/dead", "/d/fifo", "/v", "/dl/sub/b"])
        await noteEntries(t, `archive of ${path}`, id, `archive?path=${path}`);
      for (const path of ["/", "/.", "."])
        await noteEntries(t, `archive of ${path}`, id, `archive?path=${path}`, (name) => /^\/?\.?\/?(d($|\/)|dl|dead|v\/|$)/.test(name));
    }),
    play("archive: refused", async (t) => {
      const id = await filled(t);
      for (const query of ["", "?path=", "?path=/none", "?path=/d/a/", "?path=/d/a/b", "?path=/none/x"]) {
        await t.call("GET", `/containers/${id}/archive${query}`);
        await t.call("HEAD", `/containers/${id}/archive${query}`);
        await t.call("PUT", `/containers/${id}/archive${query}`, { body: small });
      }
      for (const method of ["GET", "HEAD", "PUT"]) await t.call(method, "/containers/gantry-no-such/archive?path=/d");
      for (const path of ["/d/a", "/d/l", "/dead", "/bind", "/bind/none"]) await put(t, id, `path=${path}`);
      await t.call("GET", "/containers/gantry-no-such/changes");
      await t.call("GET", "/containers/gantry-no-such/export");
      await t.call("HEAD", `/containers/${id}/export`);
    }),
    play("archive: options of PUT", async (t) => {
      const id = await filled(t);
      await put(t, id, "path=/d/sub");
      await put(t, id, "path=/d/sub&noOverwriteDirNonDir=1", folder);
      await put(t, id, "path=/d/sub&noOverwriteDirNonDir=0", folder);
      await put(t, id, "path=/d/sub&noOverwriteDirNonDir=true");
      await noteEntries(t, "the folder stays", id, "archive?path=/d/sub/f");
      await put(t, id, "path=/dl/sub/.");
      await put(t, id, "path=/v");
      await put(t, id, "path=/d/sub&copyUIDGID=1&noOverwriteDirNonDir=nonsense");
      await put(t, id, "path=/d/sub", "");
      for (const path of ["/d/sub/f", "/v/f"]) await noteEntries(t, `archive of ${path}`, id, `archive?path=${path}`);
    }),
    play("archive: copyUIDGID gives to the container's user", async (t) => {
      const id = await t.container({ User: "1234:5678" });
      await put(t, id, "path=/root&copyUIDGID=true");
      await put(t, id, "path=/tmp");
      for (const path of ["/root/f", "/tmp/f"]) await noteEntries(t, `archive of ${path}`, id, `archive?path=${path}`);
    }),
    play("archive: a read-only root", async (t) => {
      const id = await filled(t, { Cmd: ["sleep", "100000"], HostConfig: { ReadonlyRootfs: true }, Volumes: { "/v": {}, "/ready": {} } });
      await put(t, id, "path=/");
      await put(t, id, "path=/v");
      await noteEntries(t, "archive of /v", id, "archive?path=/v");
    }),
    play("archive: in every state, with its events", async (t) => {
      const id = await t.container({ Cmd: ["sleep", "100000"], StopSignal: "SIGKILL" });
      const both = async (): Promise<void> => {
        await put(t, id, "path=/root");
        await t.call("GET", `/containers/${id}/archive?path=/root/f`, { headOnly: true });
      };
      await both();
      await t.quiet("POST", `/containers/${id}/start`);
      await both();
      await t.quiet("POST", `/containers/${id}/pause`);
      await both();
      await t.quiet("POST", `/containers/${id}/unpause`);
      await t.quiet("POST", `/containers/${id}/kill`);
      await t.quiet("POST", `/containers/${id}/wait`);
      await both();
      await noteEntries(t, "export, read to its end", id, "export", () => false);
      await t.events("export");
    }),
    play("changes", async (t) => {
      const id = await t.container({ Volumes: { "/v": {} } });
      await noteChanges(t, id);
      await put(t, id, "path=/root");
      await noteChanges(t, id);
      const line =
        "echo a >>/etc/passwd; rm -rf /home; mkdir -p /usr/a/b; chmod 700 /var; chown 5 /tmp; touch /bin/busybox; ln -sf x /bin/ls; rm /bin/cp; mkdir /bin/cp; echo >/bin/cp/y";
      const changed = await t.ended(["sh", "-c", line], { HostConfig: { Tmpfs: { "/m": "" }, Binds: ["/srv:/bind"] } });
      await noteChanges(t, changed);
      const nothing = await t.ended(["true"]);
      await noteChanges(t, nothing);
    }),
    play("export", async (t) => {
      const own = (name: string): boolean => !/^(bin|usr|home|root|tmp|var)\//.test(name) && !/^etc\/(passwd|group)$/.test(name);
      const id = await t.container({ Volumes: { "/v": {} } });
      await noteEntries(t, "export of a new one", id, "export", own);
      const running = await filled(t);
      await noteEntries(t, "export of a running one", running, "export", (name) => own(name) && !/^(dev|proc|sys|bind|v)\//.test(name));
    }),
    play("docker cp, diff, export", async (t) => {
      const id = await filled(t);
      await t.docker("cp", `${id}:/none`, "/tmp/gantry-none");
      await t.docker("cp", "/gantry-none", `${id}:/d`);
      await t.docker("cp", `${id}:/d`, `${id}:/e`);
      await t.docker("cp", "/etc/hostname", `${id}:/bind`);
      await t.docker("cp", "/etc/hostname", `${id}:/d/copied`);
      await t.docker("cp", "-q", "/etc/hostname", `${id}:/d/sub/`);
      await t.docker("cp", "-", `${id}:/d/a`);
      await t.docker("cp", `${id}:/d/a`, "/gantry-none/x");
      await t.docker("export", "-o", "/gantry-none/x", id);
      await t.docker("diff", "gantry-no-such");
    }),
  ],
};
