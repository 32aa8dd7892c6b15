/** How the lines of a container's log look in its files. */
export interface LogLineFormat {
  /** A whole line of the engine's own, such as the mark of a loss. @param time  RFC 3339 */
  ownLine(text: string, time: string): Buffer;
  /** What ends the line that is cut at `cut`, as shortly as possible, so that the file stays readable; empty at the beginning of a line. */
  restOfLine(output: Buffer, cut: number, length: number): Buffer;
}
