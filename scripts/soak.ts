// Runs many containers while the daemon is killed, and looks for what must not be: leaks, holes in logs, unknown exit codes.
//   npm run soak                              1,000 runs, 200 at once, 100 kills; then an hour of 100 containers, with a kill each 30 s
//   npm run soak -- --scale 0.05 --minutes 3  a twentieth of it
import { soak } from "./lib/soak/soak.ts";

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const report = await soak(option("--scale", 1), option("--minutes", 60), (line) => console.log(line));
for (const fault of report.faults) console.error(`FAULT ${fault}`);
console.log(
  `${report.runs} runs, ${report.concurrent} at once, ${report.kills} kills, ${report.minutes} minutes: ${report.faults.length} faults`,
);
process.exit(report.faults.length > 0 ? 1 : 0);
