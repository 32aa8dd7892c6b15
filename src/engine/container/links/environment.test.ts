import { expect, test } from "bun:test";
import { linkEnvironment } from "./environment.ts";

const linked = { path: "/web/db-1", alias: "db-1", address: "172.17.0.2", exposedPorts: [] as string[], environment: [] as string[] };

test("RUN-23: a port has its address, number and protocol, the lowest one stands for all", () => {
  expect(linkEnvironment({ ...linked, exposedPorts: ["8080/tcp", "53/udp", "53/tcp"] })).toEqual([
    "DB_1_PORT=tcp://172.17.0.2:53",
    "DB_1_PORT_53_TCP=tcp://172.17.0.2:53",
    "DB_1_PORT_53_TCP_ADDR=172.17.0.2",
    "DB_1_PORT_53_TCP_PORT=53",
    "DB_1_PORT_53_TCP_PROTO=tcp",
    "DB_1_PORT_53_UDP=udp://172.17.0.2:53",
    "DB_1_PORT_53_UDP_ADDR=172.17.0.2",
    "DB_1_PORT_53_UDP_PORT=53",
    "DB_1_PORT_53_UDP_PROTO=udp",
    "DB_1_PORT_8080_TCP=tcp://172.17.0.2:8080",
    "DB_1_PORT_8080_TCP_ADDR=172.17.0.2",
    "DB_1_PORT_8080_TCP_PORT=8080",
    "DB_1_PORT_8080_TCP_PROTO=tcp",
    "DB_1_NAME=/web/db-1",
  ]);
});

test("three ports in a row have a start and an end as well, two have not", () => {
  const range = linkEnvironment({ ...linked, exposedPorts: ["7000/tcp", "7001/tcp", "7002/tcp", "9000/tcp"] });
  expect(range.filter((entry) => /START|END/.test(entry))).toEqual([
    "DB_1_PORT_7000_TCP_START=tcp://172.17.0.2:7000",
    "DB_1_PORT_7000_TCP_PORT_START=7000",
    "DB_1_PORT_7000_TCP_END=tcp://172.17.0.2:7002",
    "DB_1_PORT_7000_TCP_PORT_END=7002",
  ]);
  expect(linkEnvironment({ ...linked, exposedPorts: ["1/tcp", "2/tcp"] }).filter((entry) => /START|END/.test(entry))).toEqual([]);
});

test("variables of the other come along, but for PATH and HOME", () => {
  expect(linkEnvironment({ ...linked, environment: ["A=b=c", "PATH=/x", "HOME=/y", "BARE"] })).toEqual([
    "DB_1_NAME=/web/db-1",
    "DB_1_ENV_A=b=c",
  ]);
});
