import { WorkerLogHub } from "/work/main/src/drivers/log/hub.ts";
import { silentLogger } from "/work/main/src/lib/log.ts";
import { ConmonContainer } from "/work/main/test/integration/log/conmon.ts";
import fs from "node:fs";
const rss = () => (+(fs.readFileSync("/proc/self/status", "utf8").match(/VmRSS:\s+(\d+)/)?.[1] ?? 0) / 1024) | 0;
const hub = new WorkerLogHub(silentLogger);
const root = fs.mkdtempSync("/tmp/log/m-");
const cfg = (i: number) => ({ containerId: "c" + i, spoolFolder: `${root}/${i}/spool`, logsFolder: `${root}/${i}/logs`, driver: "json-file" as const, options: { "max-size": "20m", "max-file": "5" }, attributes: {}, tty: false });
await hub.open(cfg(0));
const N = 500; console.log("rss before", rss());
let main = 0, t0 = performance.now(); const lat: number[] = [];
for (let i = 1; i <= N; i++) { const t = performance.now(); const p = hub.open(cfg(i)); main += performance.now() - t; await p; lat.push(performance.now() - t); }
lat.sort((a, b) => a - b);
console.log("open: main", (main / N).toFixed(3), "ms; answer median", lat[N / 2]!.toFixed(2), "p95", lat[Math.floor(N * .95)]!.toFixed(2), "rss", rss());
let c0 = process.cpuUsage(); await Bun.sleep(12000); let c = process.cpuUsage(c0); console.log("idle 500: cpu ms in 12 s", (c.user + c.system) / 1000);
main = 0; t0 = performance.now(); for (let i = 1; i <= N; i++) { const t = performance.now(); const p = hub.finish("c" + i); main += performance.now() - t; await p; } console.log("finish main", (main / N).toFixed(3), "total", ((performance.now() - t0) / N).toFixed(2), "rss", rss());
console.log("fds", fs.readdirSync("/proc/self/fd").length);
for (const [name, script] of [["400 MB line", "head -c 400000000 /dev/zero"], ["200 MB random", "head -c 200000000 /dev/urandom"], ["1 M lines", "seq 1 1000000"]] as const) {
  await using k = new ConmonContainer();
  const conf = { ...cfg(0), containerId: k.id, spoolFolder: k.spoolFolder, logsFolder: k.logsFolder };
  await hub.open(conf); await k.create(script); hub.setValve(k.id, k.attachSocket);
  const r = hub.attach(k.id, { from: 0, stdout: true, stderr: true, framed: true, lag: "hold" }, new AbortController().signal);
  let max = 0; const iv = setInterval(() => max = Math.max(max, rss()), 20);
  let stall = 0, last = performance.now(); const iv2 = setInterval(() => { const n = performance.now(); stall = Math.max(stall, n - last - 1); last = n; }, 1);
  const t = performance.now(); k.start(); const fin = (async () => { await k.exit(); hub.releaseValve(k.id); const e = performance.now() - t; await hub.finish(k.id); return e; })();
  let n = 0, pieces = 0; for (let p = await r.read(); p; p = await r.read()) { n += p.length; pieces++; } const att = performance.now() - t; const e = await fin; const log = performance.now() - t; clearInterval(iv); clearInterval(iv2);
  console.log(name, "bytes", n, "pieces", pieces, "exit", e | 0, "attached", att | 0, "log", log | 0, "max rss", max, "longest stall of main ms", stall.toFixed(1));
  let m = 0; const t2 = performance.now(); last = t2; stall = 0; const iv3 = setInterval(() => { const n = performance.now(); stall = Math.max(stall, n - last - 1); last = n; }, 1);
  for await (const _ of hub.read(conf, { stdout: true, stderr: true, follow: false }, new AbortController().signal)) m++; console.log("  logs", m, "entries", (performance.now() - t2) | 0, "ms, stall", stall.toFixed(1)); clearInterval(iv3);
}
await hub.close(); fs.rmSync(root, { recursive: true });
