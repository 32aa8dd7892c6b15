import { EngineError } from "#lib/errors.ts";

/** The auditor could not look: no verdict at all. Says what to do. */
export class AuditFailure extends EngineError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("unavailable", message, options);
  }
}
