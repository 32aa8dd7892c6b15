import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAptSources, sourceLine, sourcesOf } from "./apt-sources.ts";
import { distributions, type Distribution } from "./distributions.ts";

const named = (name: string): Distribution => {
  const found = distributions.find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};
const [debian, ubuntu] = [named("debian"), named("ubuntu")];

const root = mkdtempSync(join(tmpdir(), "gantry-apt-"));
afterAll(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, "sources.list.d"));
writeFileSync(
  join(root, "sources.list"),
  "# deb http://old.example bookworm main\ndeb [arch=amd64 signed-by=/k.gpg] http://one.example/debian bookworm main contrib\ndeb-src http://one.example/debian bookworm main\ndeb http://other.example/apt stable tools\n",
);
writeFileSync(
  join(root, "sources.list.d", "two.sources"),
  "Types: deb deb-src\nURIs: http://two.example/debian\nSuites: trixie trixie-updates\nComponents: main\nSigned-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n\nTypes: deb\nURIs: http://off.example\nSuites: trixie\nComponents: main\nEnabled: no\n",
);
writeFileSync(join(root, "sources.list.d", "ignored.save"), "deb http://ignored.example bookworm main\n");

test("readAptSources() reads both formats, and leaves out sources, other components and what is switched off", () => {
  expect(readAptSources(root)).toEqual([
    { uri: "http://one.example/debian", suite: "bookworm", signedBy: "/k.gpg" },
    { uri: "http://two.example/debian", suite: "trixie" },
    { uri: "http://two.example/debian", suite: "trixie-updates" },
  ]);
});

test("readAptSources() finds none where there is no apt", () => expect(readAptSources("/nonexistent")).toEqual([]));

test("sourcesOf() takes a suite with its updates and security fixes", () => {
  expect(sourcesOf(debian, "trixie", readAptSources(root)).map(({ suite }) => suite)).toEqual(["trixie", "trixie-updates"]);
});

test("sourcesOf() takes another suite from a mirror of the same distribution", () => {
  expect(sourcesOf(debian, "sid", readAptSources(root)).map((source) => sourceLine(source))).toEqual([
    "deb [signed-by=/k.gpg] http://one.example/debian sid main",
  ]);
});

test("sourcesOf() says what to do on a host of another distribution", () => {
  expect(() => sourcesOf(debian, "bookworm", [{ uri: "http://archive.example/ubuntu", suite: "noble" }])).toThrow("--mirror URL");
  expect(() => sourcesOf(ubuntu, "noble", readAptSources(root))).toThrow("no mirror of Ubuntu's noble: give one with --mirror URL");
});

test("sourcesOf() takes Ubuntu's suites from Ubuntu's mirror alone", () => {
  const all = [
    { uri: "http://one.example/debian", suite: "bookworm" },
    { uri: "http://two.example/ubuntu", suite: "jammy-updates", signedBy: "/usr/share/keyrings/ubuntu-archive-keyring.gpg" },
  ];
  expect(sourcesOf(ubuntu, "noble", all)).toEqual([{ uri: "http://two.example/ubuntu", suite: "noble", signedBy: all[1]?.signedBy ?? "" }]);
});
