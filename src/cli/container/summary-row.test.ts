import { describe, expect, test } from "bun:test";
import { containerRow, displayPorts } from "./summary-row.ts";

describe("displayPorts()", () => {
  test.each([
    [[], ""],
    [[{ PrivatePort: 80, Type: "tcp" }], "80/tcp"],
    [[{ IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp" }], "0.0.0.0:8080->80/tcp"],
    [[{ IP: "::", PrivatePort: 80, PublicPort: 8080, Type: "tcp" }], "[::]:8080->80/tcp"],
    [[80, 81, 82, 90].map((PrivatePort) => ({ PrivatePort, Type: "tcp" })), "80-82/tcp, 90/tcp"],
    [[80, 81].map((port) => ({ IP: "0.0.0.0", PrivatePort: port, PublicPort: port, Type: "udp" })), "0.0.0.0:80-81->80-81/udp"],
    [
      [
        { PrivatePort: 443, Type: "tcp" },
        { IP: "1.2.3.4", PrivatePort: 80, PublicPort: 9000, Type: "tcp" },
      ],
      "443/tcp, 1.2.3.4:9000->80/tcp",
    ],
  ])("%p is %p", (ports, expected) => {
    expect(displayPorts(ports)).toBe(expected);
  });
});

const summary = {
  Id: "3983233f5e5a0771511a5cde20c0a01a4d3c8f875dec544fa5700ef991350d31",
  Names: ["/web", "/other/web"],
  Image: "nginx:1@sha256:aaaa",
  ImageID: "sha256:bbbb",
  Command: 'sh -c "a very long command line"',
  Created: 1_795_478_710,
  Labels: { z: "1", a: "2" },
  SizeRw: 12_345,
  SizeRootFs: 1_984_172,
  Mounts: [
    { Type: "volume", Name: "a-volume-with-a-long-name", Driver: "local" },
    { Type: "bind", Source: "/data" },
  ],
};

test("containerRow() shortens what is long, and leaves it with --no-trunc", () => {
  const at = { now: 1_795_478_710_000 + 180_000 };
  expect(Object.fromEntries(containerRow(summary, { truncates: true, ...at }).entries())).toEqual({
    Command: '"sh -c \\"a very long …"',
    CreatedAt: expect.stringMatching(/^2026-11-2\d \d\d:\d\d:10 /),
    ID: "3983233f5e5a",
    Image: "nginx:1",
    Labels: "a=2,z=1",
    LocalVolumes: "1",
    Mounts: "a-volume-with-…,/data",
    Names: "web",
    Networks: "",
    Platform: null,
    Ports: "",
    RunningFor: "3 minutes ago",
    Size: "12.3kB (virtual 1.98MB)",
    State: "",
    Status: "",
  });
  const long = containerRow(summary, { truncates: false, ...at });
  expect([long.get("ID"), long.get("Names"), long.get("Image")]).toEqual([summary.Id, "web,other/web", summary.Image]);
});
