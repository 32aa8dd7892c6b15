import { expect, test } from "bun:test";
import { applyChanges } from "./apply.ts";

const base = { Env: ["A=1", "P=/bin"], WorkingDir: "/work", Cmd: ["sh"], Labels: { old: "1" } };

test("every instruction that commit takes changes its own field (IMG-36)", () => {
  const changes = [
    'CMD ["a","b"]',
    'ENV B=2 C="x y" A=3',
    "EXPOSE 99/udp 80-81",
    "LABEL q=r 'two words'=v",
    'VOLUME ["/data", "/more"]',
    "WORKDIR sub",
    "USER u:g",
    "STOPSIGNAL SIGINT",
    "ONBUILD RUN echo  x",
    "HEALTHCHECK --interval=5s --retries=2 CMD true",
    "entrypoint /e it",
  ];
  expect(applyChanges(base, changes)).toEqual({
    Env: ["A=3", "P=/bin", "B=2", "C=x y"],
    ExposedPorts: { "99/udp": {}, "80/tcp": {}, "81/tcp": {} },
    Labels: { old: "1", q: "r", "two words": "v" },
    Volumes: { "/data": {}, "/more": {} },
    WorkingDir: "/work/sub",
    User: "u:g",
    StopSignal: "SIGINT",
    OnBuild: ["RUN echo  x"],
    Healthcheck: { Interval: 5_000_000_000, Retries: 2, Test: ["CMD-SHELL", "true"] },
    Cmd: ["a", "b"],
    Entrypoint: ["/bin/sh", "-c", "/e it"],
  });
});

test("an entrypoint drops the command that it came after, unless that is new as well", () => {
  expect(applyChanges(base, ['ENTRYPOINT ["/e"]']).Cmd).toBeNull();
  expect(applyChanges(base, ["CMD new", 'ENTRYPOINT ["/e"]']).Cmd).toEqual(["/bin/sh", "-c", "new"]);
});

test.each([
  ["ENV X=$A", "X=1"],
  ["ENV X=${A}b", "X=1b"],
  ["ENV X='$A'", "X=$A"],
  ["ENV X=\\$A", "X=$A"],
  ['ENV X="$A \\"$P\\""', 'X=1 "/bin"'],
  ["ENV X=${NONE:-or$A}", "X=or1"],
  ["ENV X=${A:+has}", "X=has"],
  ["ENV X=a\\ b", "X=a b"],
  ["ENV X two words", "X=two words"],
  ["ENV X=1 \\\n  Y=2", "X=1"],
])("%p gives %p", (change, entry) => {
  expect(applyChanges(base, [change]).Env).toContain(entry);
});

test.each([
  ["RUN x", "RUN is not a valid change command"],
  ["bogus x", "BOGUS is not a valid change command"],
  ['SHELL ["/x"]', "SHELL is not a valid change command"],
  ["USER", "USER requires exactly one argument"],
  ["EXPOSE abc", "Invalid containerPort: abc"],
  ["STOPSIGNAL foo", "invalid signal: foo"],
  ["ENV foo", "ENV must have two arguments"],
  ["LABEL foo", "LABEL must have two arguments"],
])("%p is refused as dockerd does", (change, message) => {
  expect(() => applyChanges(base, [change])).toThrow(message);
});

test("comments and empty changes change nothing", () => {
  expect(applyChanges(base, ["", "  ", "# a word"])).toEqual(base);
});
