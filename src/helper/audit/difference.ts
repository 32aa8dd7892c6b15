export type DifferenceKind =
  "record" | "mount" | "netns" | "link" | "firewall" | "cgroup" | "process" | "file" | "volume" | "layer" | "blob" | "quota";

/** One thing on the host that is not as the records say. */
export interface Difference {
  readonly kind: DifferenceKind;
  /** Path, name, id or pid. */
  readonly subject: string;
  /** What is, and what should be. */
  readonly message: string;
}

/** A difference as one reading saw it. It counts only while its owner's record stays as it is. */
export interface Finding extends Difference {
  /** Id of the container or network whose record decides. */
  readonly owner?: string;
}

/** `KIND SUBJECT: MESSAGE`, on one line whatever the names are. */
export function formatDifference({ kind, subject, message }: Difference): string {
  return `${kind} ${subject}: ${message}`.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
