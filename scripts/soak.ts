// Runs many containers while the daemon is killed, and looks for what must not be: leaks, holes in logs, unknown exit codes.
//   npm run soak                     1,000 runs, 200 at once, 100 kills
//   npm run soak -- --scale 0.05     a twentieth of it, as `npm test` does
import { soak } from "./lib/soak.ts";

const at = process.argv.indexOf("--scale");
const scale = at < 0 ? 1 : Number(process.argv[at + 1]);
const report = await soak(scale, (line) => console.log(line));
for (const fault of report.faults) console.error(`FAULT ${fault}`);
console.log(`${report.runs} runs, ${report.concurrent} at once, ${report.kills} kills: ${report.faults.length} faults`);
process.exit(report.faults.length > 0 ? 1 : 0);
