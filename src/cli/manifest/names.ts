import { messageOf } from "#lib/errors.ts";
import { ExitError } from "../errors.ts";
import { checkReference, familiarName, fullName } from "../image/reference.ts";

/** A name in full, with `latest` where it names nothing: `docker.io/library/app:latest`. @throws {Error} with Docker's words */
export function normalName(text: string): string {
  checkReference(text);
  const name = familiarName(text);
  if (name === undefined) throw new Error("invalid reference format"); // an id
  return fullName(name);
}

/** As `normalName`. @param what  comes before the text and its fault. @throws {ExitError} */
export function parsedName(text: string, what: string): string {
  try {
    return normalName(text);
  } catch (error) {
    throw new ExitError(1, `${what} ${text}: ${messageOf(error)}`);
  }
}

/** Without tag and digest. */
export function repositoryOf(reference: string): string {
  return reference.replace(/@.*$/, "").replace(/:[\w][\w.-]*$/, "");
}

export function registryOf(reference: string): string {
  return reference.split("/", 1)[0] ?? "";
}

/** The name of a file that stands for it. */
export function fileName(reference: string): string {
  return reference.replaceAll(":", "-").replaceAll("/", "_");
}
