import { playAtBothDaemons, type Scene } from "./two-clients.ts";

const name = "gantry-same-cp";
const remove = [`rm -f -v ${name} ${name}2`, `volume rm -f ${name}`];
const contents =
  "mkdir /d; echo one >/d/a; ln -s a /d/l; ln -s /d /dl; ln -s /nowhere /dead; mkdir /d/sub; echo two >/d/sub/b; ln /d/a /d/hard";
const ready = `run -d --name ${name} -v ${name}:/v -v DIR:/bind:ro --stop-signal KILL busybox sh -c '${contents}; touch /ready; sleep 100000'`;
const isReady = `exec ${name} sh -c 'until [ -e /ready ]; do sleep 0.02; done'`;
const files = { "src/f": "file", "src/sub/g": "deep", plain: "plain" };
/** What a copy has left on this host, listed by the container that it is copied into again. */
const show = (path: string): string[] => [
  `cp -q ${path} ${name}:/shown`,
  `exec ${name} sh -c 'cd /shown; ls -lAn --full-time . 2>/dev/null | cut -c1-11; find . | sort; rm -rf /shown'`,
];

const scenes: readonly Scene[] = [
  {
    name: "cp out of a container: files, folders, links",
    files,
    before: [ready, isReady],
    lines: [
      `cp ${name}:/d/a out`,
      `cp ${name}:/d/a DIR/out`,
      `cp -q ${name}:/d/a DIR/src`,
      `cp ${name}:/d outd`,
      `cp ${name}:/d outd`,
      ...show("DIR/outd"),
      `cp ${name}:/d/. outd2`,
      ...show("outd2"),
      `cp ${name}:/dl outdl`,
      `cp -L ${name}:/dl outdl2`,
      ...show("outdl2"),
      `cp -L ${name}:/dl outd2`,
      ...show("outd2"),
      `cp ${name}:/dl/ outdl3`,
      ...show("outdl3"),
      `cp ${name}:/dl/. outdl4`,
      ...show("outdl4"),
      `cp ${name}:/dead outdead`,
      `cp -L ${name}:/dead outdead2`,
      `cp ${name}:d/sub relative`,
      ...show("relative"),
      `cp ${name}:/v outv`,
      ...show("outv"),
      `cp ${name}:/bind/src/f bound`,
    ],
    after: remove,
  },
  {
    name: "cp out of a container refuses",
    files,
    before: [ready, isReady],
    lines: [
      `cp ${name}:/none x`,
      `cp ${name}:/d/a/ x`,
      `cp ${name}:/d/a/b x`,
      `cp ${name}: x`,
      `cp gantry-no-such:/d x`,
      `cp ${name}:/d/a /nonexistent/x`,
      `cp ${name}:/d/a DIR/plain/`,
      `cp ${name}:/d/a DIR/new/`,
      `cp ${name}:/d DIR/plain`,
      `cp ${name}:/d/a /dev/null`,
      `cp ${name}:/d ${name}:/e`,
      "cp a b",
      "cp",
      "cp a",
      "cp '' a",
      `cp ${name}:/d ''`,
      "cp --nosuch a b",
      "cp ./a:b c",
    ],
    after: remove,
  },
  {
    name: "cp into a container: files, folders, links",
    files,
    before: [ready, isReady],
    lines: [
      `cp src/f ${name}:/d/b`,
      `cp src/f ${name}:/d/`,
      `cp -a DIR/src/f ${name}:/d/c`,
      `cp src ${name}:/new`,
      `cp src ${name}:/new`,
      `cp src/. ${name}:/new2`,
      `cp src/ ${name}:/new3`,
      `cp src/f ${name}:/dl`,
      `cp src/f ${name}:/dead`,
      `cp src/f ${name}:/v/f`,
      `cp -q src/f ${name}:v/g`,
      `exec ${name} sh -c 'find /new /new2 /new3 /d /v /nowhere | sort; cat /d/b /d/f /d/c /nowhere'`,
      { line: `cp - ${name}:/d`, stdin: "" },
    ],
    after: remove,
  },
  {
    name: "cp into a container refuses",
    files,
    before: [ready, isReady, `run -d --name ${name}2 --read-only --stop-signal KILL busybox sleep 100000`],
    lines: [
      `cp src/none ${name}:/d`,
      `cp none/none ${name}:/d`,
      `cp src/f/ ${name}:/d`,
      `cp src/f/x ${name}:/d`,
      `cp src/f gantry-no-such:/d`,
      `cp src/f ${name}:/nodir/x`,
      `cp src/f ${name}:/bind/x`,
      `cp src/f ${name}:/bind/src/x`,
      `cp src/f ${name}2:/x`,
      `cp src/f ${name}:/d/sub/b/x`,
      { line: `cp - ${name}:/d/a`, stdin: "" },
      { line: `cp - ${name}:/none`, stdin: "" },
    ],
    after: remove,
  },
  {
    name: "diff",
    before: [
      `run --name ${name} busybox sh -c 'echo a >/etc/passwd; rm -rf /home; mkdir -p /usr/a/b; chmod 700 /var; echo x >/root/x; touch -d 2020-01-01 /bin/busybox'`,
    ],
    lines: [{ line: `diff ${name}`, isUnordered: true }, "diff gantry-no-such", "diff", "diff a b", `diff ''`],
    after: remove,
  },
  {
    name: "export",
    files,
    before: [`create --name ${name} busybox true`],
    lines: [
      `export -o out.tar ${name}`,
      `export --output DIR/plain ${name}`,
      `export -o /nonexistent/x ${name}`,
      `export -o DIR ${name}`,
      `export -o /dev/null ${name}`,
      `export -o DIR/plain/x ${name}`,
      "export gantry-no-such",
      "export",
      "export a b",
    ],
    after: remove,
  },
];

playAtBothDaemons(scenes);
