/// A daemon reduced to its log hub, to be killed: opens one container, carries its output, ends when the exit file is there.
import { existsSync } from "node:fs";
import { logDrivers } from "#drivers/log/drivers.ts";
import { WorkerLogHub } from "#drivers/log/hub.ts";
import { silentLogger } from "#lib/log.ts";
import { until } from "../../support/until.ts";

const [spoolFolder = "", logsFolder = "", exitFile = "", maxSize = "1m", freeStep = "262144", driver = "json-file"] = process.argv.slice(2);
const hub = new WorkerLogHub(silentLogger, { freeStepBytes: Number(freeStep) });
await hub.open({
  containerId: "c",
  spoolFolder,
  logsFolder,
  driver: logDrivers.find((name) => name === driver) ?? "none",
  options: { "max-size": maxSize, "max-file": "100000" },
  attributes: {},
  tty: false,
});
console.log("open");
await until(() => existsSync(exitFile), 120_000);
await hub.finish("c");
await hub.close();
