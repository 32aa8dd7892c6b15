// One executable with three personalities: client, daemon, helper processes. Nothing here may import a `node:` module:
// each of them costs milliseconds, and this chunk is loaded by every command (docs/architecture.md).
import { buildCommit, version } from "#lib/version.ts";

// argv0 is the name this was called by: a link `dockerd` is the daemon, a link `docker` the client with Docker's own name in its messages.
const calledAs = process.argv0.slice(process.argv0.lastIndexOf("/") + 1);
const args = process.argv.slice(2);

async function run(): Promise<number> {
  if (calledAs === "dockerd" || calledAs === "gantryd") return runDaemon(args);
  switch (args[0]) {
    case "daemon":
      return runDaemon(args.slice(1));
    case "internal":
      return (await import("#helper/main.ts")).runInternal(args.slice(1));
    // The client has the help of these two.
    case "doctor":
      if (args.includes("--help")) break;
      return (await import("#helper/doctor/command.ts")).runDoctor(args.slice(1));
    case "system":
      if (args[1] === "purge") return (await import("#daemon/purge.ts")).purgeCommand(args.slice(2));
      if (args[1] !== "audit" || args.includes("--help")) break;
      return (await import("#helper/audit/command.ts")).runAudit(args.slice(2));
    case "--version":
    case "-v": {
      if (args.length > 1) break; // Docker runs the command then
      const out = Bun.stdout.writer();
      await out.write(`${calledAs === "docker" ? "Docker" : "Gantry"} version ${version}, build ${buildCommit}\n`);
      await out.end();
      return 0;
    }
  }
  const { main } = await import("#cli/main.ts");
  return main(args, calledAs === "docker" ? "docker" : "gantry");
}

async function runDaemon(daemonArgs: string[]): Promise<number> {
  return (await import("#daemon/main.ts")).runDaemon(daemonArgs);
}

process.exit(await run());
