/** What the API needs to know of logs. */
export type { LogEntry as LogLine, LogQuery as LogSelection } from "#drivers/log/types.ts";

export { listedLogDrivers } from "#drivers/log/drivers.ts";
