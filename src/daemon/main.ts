import { EngineError, messageOf } from "#lib/errors.ts";
import { daemonHelp, parseDaemonArguments, reloadableSettings } from "./config.ts";
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
        daemon.reload(next);
        log.setLevel(next.debug ? "debug" : next.logLevel);
        log.info("configuration reloaded", { ...reloadableSettings(next) });
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
    // A fault of our own is told with its place. Thrown on, it would meet `guard`, and a daemon that does nothing would stay.
    const stack = error instanceof EngineError || !(error instanceof Error) ? undefined : error.stack;
    log.error("daemon cannot start", { error: messageOf(error), ...(stack !== undefined && { stack }) });
    return 1;
  }
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
