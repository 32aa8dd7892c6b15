/** A template that cannot be read or run; the message is Go's, beginning with `template: NAME:LINE`. */
export class TemplateError extends Error {
  /** What was printed before it failed. */
  printed = "";
}
