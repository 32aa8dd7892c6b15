/**
 * Schema of `<data root>/gantry.db`. Each migration is one step and runs once, in order, in one transaction with its number; a step that
 * has been released is never changed. Bodies are JSON records of types/record/; what is looked up or must be unique has a column.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE setting (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE container (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE network (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE volume (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE image (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE image_reference (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE resource (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE event (key TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
  `,
];

/** Tables in memory and the key of each: container and network by id, volume by name, image by id, reference in full form. */
export const tables = ["setting", "container", "network", "volume", "image", "image_reference", "resource"] as const;
export type TableName = (typeof tables)[number];

/** The table of events, by zero-padded time, is on disk alone: it is long and seldom asked for. So many of the newest stay. */
export const keptEvents = 10_000;
