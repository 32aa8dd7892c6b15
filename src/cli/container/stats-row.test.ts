import { describe, expect, test } from "bun:test";
import { renderRows } from "../format/rows.ts";
import { cpuPercent, memoryUsed, statsHeaders, statsRow } from "./stats-row.ts";

const cpu = (total_usage: number, system_cpu_usage: number) => ({ cpu_usage: { total_usage }, system_cpu_usage, online_cpus: 2 });

describe("cpuPercent()", () => {
  test("is a share of one processor", () => {
    expect(cpuPercent({ cpu_stats: cpu(1500, 4000), precpu_stats: cpu(500, 2000) })).toBe(100);
  });
  test("is nothing without a time in between", () => {
    expect(cpuPercent({ cpu_stats: cpu(1500, 4000), precpu_stats: cpu(500, 4000) })).toBe(0);
    expect(cpuPercent({})).toBe(0);
  });
});

describe("memoryUsed()", () => {
  test.each([
    [{ usage: 100, stats: { total_inactive_file: 30 } }, 70],
    [{ usage: 100, stats: { inactive_file: 20 } }, 80],
    [{ usage: 100, stats: { inactive_file: 200 } }, 100],
    [{ usage: 100 }, 100],
    [{}, 0],
  ])("of %j is %d", (memory_stats, used) => {
    expect(memoryUsed({ memory_stats })).toBe(used);
  });
});

test("a row shows sizes with units, and dashes where there is no news", () => {
  const stats = {
    name: "/web",
    id: "0123456789abcdef",
    cpu_stats: cpu(1500, 4000),
    precpu_stats: cpu(500, 2000),
    memory_stats: { usage: 3 * 2 ** 20, limit: 2 ** 30 },
    networks: { eth0: { rx_bytes: 1500, tx_bytes: 20 }, eth1: { rx_bytes: 500, tx_bytes: 1 } },
    blkio_stats: {
      io_service_bytes_recursive: [
        { op: "Read", value: 4096 },
        { op: "write", value: 10 },
        { op: "Sync", value: 7 },
      ],
    },
    pids_stats: { current: 4 },
  };
  const rows = [
    statsRow({ container: "web", stats, name: "/web", id: stats.id }, { truncates: true }),
    statsRow({ container: "db", stats: undefined, name: "", id: "" }, { truncates: true }),
  ];
  const format = "{{.Container}}|{{.Name}}|{{.ID}}|{{.CPUPerc}}|{{.MemUsage}}|{{.MemPerc}}|{{.NetIO}}|{{.BlockIO}}|{{.PIDs}}";
  expect(renderRows(rows, { format, defaultTable: "", headers: statsHeaders })).toMatchInlineSnapshot(`
    "web|web|0123456789ab|100.00%|3MiB / 1GiB|0.29%|2kB / 21B|4.1kB / 10B|4
    db|--||--|-- / --|--|--|--|--
    "
  `);
});
