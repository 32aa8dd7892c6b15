/** Drivers whose records go to a server; what `logs` reads is a copy of them in the form of the driver `local`. */
export const forwardingDrivers = ["fluentd", "gelf", "journald", "syslog"] as const;

export type ForwardingDriver = (typeof forwardingDrivers)[number];

/** Drivers that this engine carries out. */
export const logDrivers = ["json-file", "local", "none", ...forwardingDrivers] as const;

export type LogDriver = (typeof logDrivers)[number];

/** Those that `info` tells of: Docker leaves `none` out. */
export const listedLogDrivers: readonly string[] = logDrivers.filter((name) => name !== "none").sort();

export function isForwarding(driver: string): driver is ForwardingDriver {
  return (forwardingDrivers as readonly string[]).includes(driver);
}
