import { EngineError, messageOf } from "#lib/errors.ts";
import { parseDaemonArguments, daemonHelp, type DaemonConfig } from "./config.ts";
import { openDaemon } from "./daemon.ts";
import { openLogger } from "./logger.ts";

/** `gantry daemon`: runs until it is told to end. Returns the exit code of the process. */
export async function runDaemon(args: readonly string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseDaemonArguments(args);
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
  if (parsed.help) {
    console.log(daemonHelp());
    return 0;
  }
  if (parsed.validateOnly) {
    console.log("configuration OK");
    return 0;
  }
  const { config } = parsed;
  const log = openLogger(config.debug ? "debug" : config.logLevel);
  guard(log);
  try {
    const daemon = await openDaemon(config, log);
    const reload = (): void => {
      try {
        const next = parseDaemonArguments(args).config;
        log.setLevel(next.debug ? "debug" : next.logLevel);
        log.info("configuration reloaded", reloadable(next));
      } catch (error) {
        log.error("configuration not reloaded", { error: messageOf(error) });
      }
    };
    process.on("SIGHUP", reload);
    await untilSignal();
    process.off("SIGHUP", reload);
    log.info("daemon ends", { containersStay: config.liveRestore });
    await daemon.close();
    return 0;
  } catch (error) {
    log.error("daemon cannot start", { error: messageOf(error) });
    if (error instanceof EngineError) return 1;
    throw error;
  }
}

/** What SIGHUP changes in a running daemon. */
function reloadable(config: DaemonConfig): Readonly<Record<string, unknown>> {
  return { debug: config.debug, logLevel: config.logLevel };
}

/** One request's fault must not end all containers' daemon: it is written down with its place, and the daemon goes on. */
function guard(log: ReturnType<typeof openLogger>): void {
  const report = (what: string) => (error: unknown) =>
    log.error(what, { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
  process.on("uncaughtException", report("uncaught exception"));
  process.on("unhandledRejection", report("unhandled rejection"));
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
}
