import { archive, member } from "../../src/lib/tar/fixtures.ts";
import { playAtBothDaemons, type Scene } from "./two-clients.ts";

const name = "gantry-same-made";
const files = { "root.tar": archive(member("f", {}, "content")).toString("latin1") };
const remove = [`rm -f ${name}`, `rmi -f ${name}:1 ${name}:2 ${name}:3`];

const scenes: readonly Scene[] = [
  {
    name: "commit (IMG-36)",
    before: [`run --name ${name} busybox sh -c 'echo hi >/f'`],
    lines: [
      `commit -a me -m about -c 'CMD ["a"]' -c 'ENV A=1' ${name} ${name}:1`,
      `image inspect -f '{{.Author}} {{.Comment}} {{json .Config}}' ${name}:1`,
      `container commit --pause=false ${name} ${name}:2`,
      `history --format '{{.CreatedBy}} {{.Comment}}' ${name}:1`,
      `commit -c 'RUN x' ${name}`,
      `commit ${name} UPPER`,
      `commit ${name} 'Bad Name'`,
      `commit ${name} ${name}@sha256:${"0".repeat(64)}`,
      "commit gantry-no-such",
      "commit",
      "commit a b c",
    ],
    after: remove,
  },
  {
    name: "save (IMG-37)",
    before: [`tag busybox ${name}:1`],
    lines: [
      `save -o out.tar ${name}:1`,
      `save -o out2.tar ${name}`,
      `image save --platform linux -o out3.tar ${name}:1`,
      `save -o /nonexistent/x ${name}:1`,
      `save -o /dev/null ${name}:1`,
      `save -o DIR ${name}:1`,
      `save -o x.tar gantry-no-such:1`,
      "save -o x.tar gantry-no-such",
      "save -o x.tar UPPER",
      `save -o x.tar --platform linux/s390x ${name}:1`,
      `save -o x.tar --platform bogus ${name}:1`,
      `save -o x.tar --platform a/b/c/d ${name}:1`,
      "save",
      `load -q -i out.tar`,
    ],
    after: remove,
  },
  {
    name: "import (IMG-38)",
    files,
    lines: [
      `import -m about -c 'CMD ["a"]' DIR/root.tar ${name}:1`,
      `image inspect -f '{{.Comment}} {{json .Config}}' ${name}:1`,
      `image import --platform linux/arm/v7 DIR/root.tar ${name}:2`,
      `image inspect -f '{{.Comment}} {{.Architecture}}' ${name}:2`,
      { line: `import - ${name}:3`, stdin: files["root.tar"] },
      "import --platform bogus DIR/root.tar",
      "import --platform windows/amd64 DIR/root.tar",
      "import -c 'RUN x' DIR/root.tar",
      "import DIR/root.tar UPPER",
      `import DIR/root.tar ${name}@sha256:${"0".repeat(64)}`,
      "import /nonexistent/x.tar",
      "import",
      "import a b c",
    ],
    after: remove,
  },
];

playAtBothDaemons(scenes);
