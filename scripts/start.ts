// Everything from a fresh checkout to a first container; the second time it takes seconds.
//   npm start            asks before it changes the host, where there is a terminal to ask
//   GANTRY_DATA_ROOT, GANTRY_EXEC_ROOT, GANTRY_HOST   put the engine elsewhere, beside others
import { daemonPid, isOutdated, answers, startInBackground, stopInBackground, untilAnswers } from "./lib/background-daemon.ts";
import { ensureExecutable } from "./lib/executable.ts";
import { clientOf, ensureFirstImage } from "./lib/first-image.ts";
import { ensureRoot } from "./lib/host.ts";
import { placeOf } from "./lib/place.ts";
import { isSystemd, startService } from "./lib/systemd.ts";

try {
  await ensureRoot();
  const place = placeOf(process.env);
  const { path: executable } = await ensureExecutable();
  await prepareHost(executable, place.dataRoot);
  await startDaemon(executable, place);
  await ensureFirstImage(executable, place);
  const gantry = clientOf(executable, place);
  if ((await gantry(["run", "--rm", "busybox", "echo", "Hello from a container."])) !== 0)
    throw new Error("the first container did not run: see the message above");
  printNextSteps(place.host, place.isDefault);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

/** Lets the doctor repair what is missing or slow; on a terminal it shows that first, and asks. */
async function prepareHost(executable: string, dataRoot: string): Promise<void> {
  const doctor = (...args: readonly string[]) => [executable, "doctor", "--data-root", dataRoot, ...args];
  const found = Bun.spawn(doctor("--format", "json"), { stdio: ["ignore", "pipe", "inherit"] });
  const checks = JSON.parse(await new Response(found.stdout).text()) as readonly {
    status: string;
    name: string;
    detail: string;
    advice?: string;
  }[];
  const problems = checks.filter(({ status, advice }) => status === "missing" || advice?.includes("doctor --fix"));
  if (problems.length === 0) return;
  for (const { name, detail } of problems) console.error(`${name}: ${detail}`);
  if (process.stdin.isTTY && !confirm("Repair this now (packages of the distribution are installed where they are missing)?"))
    throw new Error("Not repaired. 'dist/gantry doctor' tells what to do by hand.");
  const repaired = Bun.spawn(doctor("--fix"), { stdio: ["ignore", "pipe", 2] });
  const [report, code] = await Promise.all([new Response(repaired.stdout).text(), repaired.exited]);
  if (code !== 0) throw new Error(`The host is not ready:\n${report}`);
}

async function startDaemon(executable: string, place: ReturnType<typeof placeOf>): Promise<void> {
  const pid = daemonPid(place);
  const outdated = pid !== undefined && isOutdated(pid);
  if (place.isDefault && isSystemd()) {
    await startService(executable, outdated);
    return untilAnswers(place);
  }
  if (outdated) {
    console.error("restarting the daemon: it runs an older build; containers stay");
    await stopInBackground(place);
  } else if (await answers(place)) return;
  await startInBackground(executable, place);
  console.error(`the daemon listens at ${place.host}, its log is ${place.logFile}`);
}

function printNextSteps(host: string, isDefault: boolean): void {
  const gantry = isDefault ? "dist/gantry" : `dist/gantry -H ${host}`;
  console.log(`
Try next:
  ${gantry} run -d --name web -p 8080:80 busybox httpd -f -h /etc
  curl http://127.0.0.1:8080/passwd
  ${gantry} logs web
  ${gantry} rm -f web
  ${Bun.which("mmdebstrap") ? "" : "apt-get install mmdebstrap && "}${gantry} image bootstrap debian:bookworm
With Docker's own client:
  export DOCKER_HOST=${host}
The end: npm run stop (containers stay)`);
}
