import { expect, test } from "bun:test";
import { criuReason } from "./criu-log.ts";

test("criuReason() is the error that the last ones follow from", () => {
  const log = `(00.000021) Version: 3.17.1 (gitid 0)
(00.001342) Error (criu/util.c:641): exited, status=4
(00.002001) Found mmap_min_addr 0x10000
(00.002101) files stat: fs/nr_open 1073741816
(00.002301) Pagemap is fully functional
(00.002401) Found task size of 7ffffffff000
(00.002501) Dumping processes (pid: 512)
(00.002601) Collecting fds
(00.011938) Error (criu/sk-inet.c:188): inet: Connected TCP socket, consider using --tcp-established option.
(00.011940) ----------------------------------------
(00.012001) Error (criu/cr-dump.c:1505): Dump files (pid: 512) failed with -1
(00.013214) Error (criu/cr-dump.c:2053): Dumping FAILED.
`;
  expect(criuReason(log)).toBe("inet: Connected TCP socket, consider using --tcp-established option.");
});

test("criuReason() finds errors of restored processes, and of `criu check`", () => {
  expect(
    criuReason("(00.081)      1: Error (criu/files-reg.c:2143): File bin/x has bad size\n(00.1) Error (x.c:1): Restoring FAILED.\n"),
  ).toBe("File bin/x has bad size");
  expect(criuReason("Error (criu/vdso.c:671): vdso: Unexpected rt vDSO area bounds\nError (a.c:1): it follows\n")).toBe(
    "vdso: Unexpected rt vDSO area bounds",
  );
});

test("criuReason() makes none up", () => {
  expect(criuReason("(00.000021) Version: 3.17.1\n")).toBeUndefined();
  expect(criuReason("(00.1) Error (criu/cr-dump.c:2053): Dumping FAILED.\n")).toBeUndefined();
});
