import { play, type PlayBook } from "../play.ts";
import type { Stage } from "../stage.ts";

type Options = Readonly<Record<string, string>>;

const printing = ["sh", "-c", "echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three"];
/** Nobody listens there; a message by UDP is sent all the same. */
const nobody = { "syslog-address": "udp://127.0.0.1:9" };
const logTo = (Type: string, Config: Options = {}): Readonly<Record<string, unknown>> => ({ HostConfig: { LogConfig: { Type, Config } } });

/** Options that are refused at once, by driver. */
const refused: readonly (readonly [driver: string, options: Options])[] = [
  ["local", { bogus: "1" }],
  ["local", { tag: "x" }],
  ["syslog", { bogus: "1" }],
  ["syslog", { "syslog-address": "127.0.0.1:514" }],
  ["syslog", { "syslog-address": "http://x" }],
  ["syslog", { "syslog-address": "unix:///nope" }],
  ["syslog", { "syslog-address": "udp://127.0.0.1:x" }],
  ["syslog", { ...nobody, "syslog-facility": "x" }],
  ["syslog", { ...nobody, "syslog-format": "x" }],
  ["syslog", { ...nobody, mode: "x" }],
  ["syslog", { ...nobody, "max-buffer-size": "1m" }],
  ["syslog", { ...nobody, "cache-disabled": "maybe" }],
  ["gelf", {}],
  ["gelf", { "gelf-address": "http://x:1" }],
  ["gelf", { "gelf-address": "udp://127.0.0.1" }],
  ["gelf", { "gelf-address": "udp://127.0.0.1:9", bogus: "1" }],
  ["gelf", { "gelf-address": "udp://127.0.0.1:9", "gelf-compression-level": "10" }],
  ["gelf", { "gelf-address": "udp://127.0.0.1:9", "gelf-compression-type": "x" }],
  ["gelf", { "gelf-address": "udp://127.0.0.1:9", "gelf-tcp-max-reconnect": "1" }],
  ["gelf", { "gelf-address": "tcp://127.0.0.1:1", "gelf-compression-type": "gzip" }],
  ["gelf", { "gelf-address": "tcp://127.0.0.1:1", "gelf-tcp-reconnect-delay": "x" }],
  ["fluentd", { bogus: "1" }],
  ["fluentd", { "fluentd-address": "http://x" }],
  ["fluentd", { "fluentd-address": "unix://" }],
  ["fluentd", { "fluentd-address": "127.0.0.1:1/path" }],
  ["fluentd", { "fluentd-async": "x" }],
  ["fluentd", { "fluentd-buffer-limit": "x" }],
  ["fluentd", { "fluentd-retry-wait": "x" }],
  ["fluentd", { "fluentd-max-retries": "-1" }],
  ["fluentd", { "fluentd-request-ack": "x" }],
  ["fluentd", { "fluentd-sub-second-precision": "x" }],
  ["fluentd", { "fluentd-write-timeout": "-1s" }],
  ["fluentd", { "fluentd-async-reconnect-interval": "20s" }],
  ["journald", { bogus: "1" }],
];

/** Servers that are not there. */
const unreachable: readonly (readonly [driver: string, options: Options])[] = [
  ["fluentd", { "fluentd-address": "tcp://127.0.0.1:1" }],
  ["fluentd", { "fluentd-address": "unix:///nope" }],
  ["gelf", { "gelf-address": "tcp://127.0.0.1:1" }],
  ["syslog", { "syslog-address": "tcp://127.0.0.1:1" }],
  ["syslog", { "syslog-address": "tcp+tls://127.0.0.1:1", "syslog-tls-ca-cert": "/nope" }],
];

/** Drivers whose logs can be read. */
const readable: readonly (readonly [driver: string, options: Options])[] = [
  ["local", {}],
  ["syslog", nobody],
];

const nameOf = ([driver, options]: (typeof refused)[number]): string =>
  [driver, ...Object.entries(options).map((pair) => pair.join("="))].join(" ");

async function startWithoutServer(t: Stage, driver: string, options: Options): Promise<void> {
  const id = await t.container(logTo(driver, options));
  await t.call("POST", `/containers/${id}/start`);
  await t.call("GET", `/containers/${id}/json`, { only: ["State.Status", "State.ExitCode", "State.Error"] });
}

/** Log drivers other than json-file: options, servers that are away, and the copy that `logs` reads. */
export const logDrivers: PlayBook = {
  noun: "log-drivers",
  plays: [
    ...refused.map(([driver, options]) =>
      play(`create refuses log options: ${nameOf([driver, options])}`, async (t) => {
        await t.call("POST", `/containers/create?name=${t.name()}`, { body: { Image: "busybox", ...logTo(driver, options) } });
      }),
    ),
    ...unreachable.map(([driver, options]) =>
      play(`a start without its log server: ${nameOf([driver, options])}`, (t) => startWithoutServer(t, driver, options)),
    ),
    play("fluentd-async starts without its server", async (t) => {
      const options = {
        "fluentd-address": "127.0.0.1:1",
        "fluentd-async": "true",
        "fluentd-max-retries": "1",
        "fluentd-retry-wait": "10ms",
      };
      const id = await t.ended(printing, logTo("fluentd", options));
      await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1`);
    }),
    ...readable.map(([driver, options]) =>
      play(`logs of the driver ${driver}`, async (t) => {
        const id = await t.ended(printing, logTo(driver, options));
        await t.call("GET", `/containers/${id}/json`, { only: ["HostConfig.LogConfig", "LogPath"] });
        await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1`);
        await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1&tail=2`);
        await t.stream("GET", `/containers/${id}/logs?stderr=1&details=1&timestamps=1`);
        await t.docker("logs", "--tail", "1", id);
      }),
    ),
    play("logs without the copy that they are read from", async (t) => {
      const id = await t.ended(printing, logTo("syslog", { ...nobody, "cache-disabled": "true" }));
      await t.call("GET", `/containers/${id}/logs?stdout=1`);
      await t.docker("logs", id);
    }),
    play("following a container whose records are forwarded", async (t) => {
      const id = await t.container({ Cmd: ["sh", "-c", "echo one; sleep 0.5; echo two"], ...logTo("syslog", nobody) }, { start: true });
      await t.stream("GET", `/containers/${id}/logs?stdout=1&stderr=1&follow=1`);
    }),
  ],
};
