import { afterAll } from "bun:test";
import { StandInRegistry } from "../conformance/stand-in-registry.ts";
import { pathWithHelper } from "../support/credential-helper.ts";
import { scratchFolder } from "../support/scratch-folder.ts";
import { playAtBothDaemons, type Scene } from "./two-clients.ts";

// Pushes, log-ins and searches at registries of our own, typed to both clients.
const open = await StandInRegistry.start();
const basic = await StandInRegistry.start("basic");
const token = await StandInRegistry.start("token");
const PATH = pathWithHelper(scratchFolder("same-registry", afterAll), "gantry-test");
afterAll(async () => {
  for (const registry of [open, basic, token]) await registry[Symbol.asyncDispose]();
});

const password = "wonder-land";
const stored = (host: string, pair = `alice:${password}`): object => ({ [host]: { auth: Buffer.from(pair).toString("base64") } });
const config = (fields: object): Readonly<Record<string, string>> => ({ ".docker/config.json": JSON.stringify(fields) });

const scenes: readonly Scene[] = [
  {
    name: "push (IMG-29)",
    before: [`tag busybox ${open.host}/PLAY:1`, `tag busybox ${open.host}/PLAY:latest`, `push -q ${open.host}/PLAY:1`],
    lines: [
      `push ${open.host}/PLAY:1`,
      `push ${open.host}/PLAY`,
      `push -q ${open.host}/PLAY:1`,
      `push -a ${open.host}/PLAY`,
      `push --disable-content-trust=false ${open.host}/PLAY:nosuch`,
      `image push ${open.host}/PLAY:nosuch`,
      `push ${open.host}/nosuch`,
      `push -a ${open.host}/PLAY:1`,
      `push ${open.host}/PLAY@sha256:${"a".repeat(64)}`,
      "push UPPER",
      "push",
      "push a b",
      `push --platform linux/s390x ${open.host}/PLAY:1`,
      `push --platform a/b/c/d ${open.host}/PLAY:1`,
      "push 127.0.0.1:1/nosuch:1",
    ],
    after: [`rmi ${open.host}/PLAY:1 ${open.host}/PLAY:latest`],
  },
  {
    name: "push with and without a log-in (REG-23)",
    files: config({ auths: stored(basic.host) }),
    before: [`tag busybox ${basic.host}/PLAY:1`, `tag busybox ${token.host}/PLAY:1`],
    lines: [`push ${token.host}/PLAY:1`, `push -q ${basic.host}/PLAY:1`, `logout ${basic.host}`, `push ${basic.host}/PLAY:1`],
    after: [`rmi ${basic.host}/PLAY:1 ${token.host}/PLAY:1`],
  },
  {
    name: "log-in and log-out (REG-23)",
    lines: [
      "login",
      `login ${basic.host}`,
      `login -u alice ${basic.host}`,
      `login -u alice -p wrong ${basic.host}`,
      `login -u alice -p ${password} ${basic.host}`,
      `login ${basic.host}`,
      `login http://${basic.host}/v2/`,
      { line: `login -u alice --password-stdin ${basic.host}`, stdin: `${password}\n` },
      { line: `login --username alice --password-stdin ${basic.host}`, stdin: "wrong" },
      { line: `login -u alice --password-stdin ${basic.host}`, stdin: "" },
      `login -u alice -p wrong ${token.host}`,
      `login -u alice -p ${password} ${token.host}`,
      `login ${token.host}`,
      `logout ${basic.host}`,
      `logout ${basic.host}`,
      `logout https://${token.host}/v1/`,
      "logout",
      "logout nosuch",
      `login --password-stdin ${basic.host}`,
      `login -u '' ${basic.host}`,
      `login -u alice -p '' ${basic.host}`,
      `login -u alice -p x --password-stdin ${basic.host}`,
      "login -u alice -p x 127.0.0.1:1",
      "login -u alice -p x http://127.0.0.1:1",
    ],
  },
  {
    name: "log-ins that are kept by a helper (REG-17, REG-18)",
    env: { PATH },
    files: config({ credsStore: "gantry-test" }),
    before: [`tag busybox ${basic.host}/PLAY:1`],
    lines: [
      `login -u alice -p ${password} ${basic.host}`,
      `login ${basic.host}`,
      `push -q ${basic.host}/PLAY:1`,
      `login -u alice -p ${password} ${token.host}`,
      `logout ${basic.host}`,
      `push ${basic.host}/PLAY:1`,
      { line: `login -u alice -p ${password} ${basic.host}`, env: { PATH: process.env["PATH"] ?? "" } },
    ],
    after: [`rmi ${basic.host}/PLAY:1`],
  },
  {
    name: "a helper for one registry alone",
    env: { PATH },
    files: config({ credHelpers: { [basic.host]: "gantry-test" } }),
    lines: [
      `login -u alice -p ${password} ${basic.host}`,
      `login ${basic.host}`,
      `login -u alice -p ${password} ${token.host}`,
      `logout ${basic.host}`,
      `login ${basic.host}`,
    ],
  },
  {
    name: "search (REG-02, IMG-21)",
    lines: [
      `search ${open.host}/busybox`,
      `search --no-trunc ${open.host}/busybox`,
      `search --limit 1 ${open.host}/team`,
      `search ${open.host}/nosuch`,
      `search -f is-official=true ${open.host}/busybox`,
      `search -f stars=5 -f is-official=false ${open.host}/busybox`,
      `search --format json ${open.host}/busybox`,
      `search --format '{{json .}}' ${open.host}/busybox`,
      `search --format 'table {{.Name}}\\t{{.StarCount}}' ${open.host}/busybox`,
      `search --format '{{.Name}} {{.IsOfficial}}' ${open.host}/busybox`,
      `search --limit 101 ${open.host}/busybox`,
      `search -f stars=many ${open.host}/busybox`,
      `search -f nonsense=x ${open.host}/busybox`,
      `search ${open.host}/broken`,
      "search https://example.com/x",
      "search 127.0.0.1:1/x",
      "search",
      "search a b",
    ],
  },
  {
    name: "lists of manifests (IMG-26)",
    lines: [
      `manifest inspect --insecure ${open.host}/images:docker`,
      `manifest inspect --insecure -v ${open.host}/images:oci`,
      `manifest inspect --insecure ${open.host}/images:nosuch`,
      `manifest create --insecure ${open.host}/PLAY:1 ${open.host}/images:oci ${open.host}/images:docker`,
      `manifest create --insecure ${open.host}/PLAY:1 ${open.host}/images:docker`,
      `manifest create --insecure --amend ${open.host}/PLAY:1 ${open.host}/images:docker`,
      `manifest create --insecure ${open.host}/PLAY:2 ${open.host}/images:nosuch`,
      `manifest annotate --arch arm --variant v7 --os-features a,b --os-version 1 ${open.host}/PLAY:1 ${open.host}/images:docker`,
      `manifest annotate --arch nonsense ${open.host}/PLAY:1 ${open.host}/images:docker`,
      `manifest annotate --arch arm ${open.host}/PLAY:1 ${open.host}/images:nosuch`,
      `manifest inspect ${open.host}/PLAY:1`,
      `manifest inspect -v ${open.host}/PLAY:1`,
      `manifest inspect ${open.host}/PLAY:1 ${open.host}/images:docker`,
      `manifest push --insecure ${open.host}/PLAY:1`,
      `manifest push --insecure --purge ${open.host}/PLAY:1`,
      `manifest push --insecure ${open.host}/PLAY:1`,
      `manifest inspect --insecure ${open.host}/PLAY:1`,
      `manifest create --insecure ${open.host}/PLAY:3 ${open.host}/PLAY:1`,
      `manifest create --insecure ${open.host}/PLAY ${open.host}/images:oci`,
      `manifest rm ${open.host}/PLAY nosuch`,
      `manifest create --insecure elsewhere.example/a ${open.host}/images:oci`,
      "manifest push elsewhere.example/a",
      "manifest rm elsewhere.example/a",
      "manifest create UPPER a",
      "manifest annotate UPPER a --arch arm",
      "manifest inspect UPPER",
      "manifest create a",
      "manifest rm",
    ],
  },
];

playAtBothDaemons(scenes);
