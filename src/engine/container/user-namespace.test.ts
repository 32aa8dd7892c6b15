import { expect, test } from "bun:test";
import type { HostConfig } from "#types/engine-api/index.ts";
import { refuseUserNamespaceConflicts } from "./user-namespace.ts";

const conflicts: readonly (readonly [HostConfig, string])[] = [
  [
    { Privileged: true },
    "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode",
  ],
  [{ NetworkMode: "host" }, "cannot share the host's network namespace when user namespaces are enabled"],
  [{ PidMode: "host" }, "cannot share the host PID namespace when user namespaces are enabled"],
];

test.each(conflicts)("SEC-03: %p is refused for a container with a user namespace", (host, message) => {
  expect(() => refuseUserNamespaceConflicts(host, true)).toThrow(message);
});

test.each(conflicts)("%p is accepted with --userns=host, and by a daemon that maps nothing", (host) => {
  expect(() => refuseUserNamespaceConflicts({ ...host, UsernsMode: "host" }, true)).not.toThrow();
  expect(() => refuseUserNamespaceConflicts(host, false)).not.toThrow();
});
