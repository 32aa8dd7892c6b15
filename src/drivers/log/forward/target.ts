import type { ForwardingDriver } from "../drivers.ts";
import { fluentdTarget } from "../fluentd/target.ts";
import { gelfTarget } from "../gelf/target.ts";
import { journaldTarget } from "../journald/target.ts";
import { syslogTarget } from "../syslog/target.ts";
import type { ForwardTarget, RecordSource } from "./types.ts";

export function forwardTarget(driver: ForwardingDriver, options: Readonly<Record<string, string>>, source: RecordSource): ForwardTarget {
  switch (driver) {
    case "fluentd":
      return fluentdTarget(options, source);
    case "gelf":
      return gelfTarget(options, source);
    case "journald":
      return journaldTarget(source);
    case "syslog":
      return syslogTarget(options, source);
  }
}
