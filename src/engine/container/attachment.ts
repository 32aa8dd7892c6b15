import type { OutputReader } from "#drivers/log/types.ts";
import type { StdinConnection } from "#drivers/runtime/types.ts";
import { deferred } from "#lib/async.ts";
import { DetachKeys } from "./detach-keys.ts";

/** The client's end of an attach: bytes from it, bytes to it. */
export interface ClientStream {
  /** Next input; undefined when the client will send no more. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when the client has taken it. */
  write(chunk: Uint8Array): Promise<void>;
  /** Ends the output side. */
  end(): void;
  /** Resolves when the client is gone. */
  readonly closed: Promise<void>;
}

export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
  /** The end of the client's input is the end of the container's: with StdinOnce and without a terminal. */
  readonly closeStdin: boolean;
  readonly detachKeys: Uint8Array;
  /** Attached before the start: its slowness holds the container back, as a terminal would. */
  readonly foreground: boolean;
  /** Frames with heads; not with a tty, nor over a websocket. */
  readonly framed: boolean;
}

export type AttachEnd = "output-ended" | "detached" | "client-left";

/**
 * Copies between one client and a container until the output ends, the client leaves or types the detach keys.
 * @param stdin  absent when the container's input is closed or the client gives none
 */
export async function copyStreams(
  client: ClientStream,
  output: OutputReader | undefined,
  stdin: StdinConnection | undefined,
  options: AttachOptions,
): Promise<AttachEnd> {
  const ended = deferred<AttachEnd>();
  void client.closed.then(() => ended.resolve("client-left"));
  const copies = [copyOutput(client, output, ended.resolve), copyInput(client, stdin, options, ended.resolve)];
  for (const copy of copies) copy.catch(() => ended.resolve("client-left"));
  const end = await ended.promise;
  await output?.[Symbol.asyncDispose]();
  client.end();
  return end;
}

async function copyOutput(client: ClientStream, output: OutputReader | undefined, end: (how: AttachEnd) => void): Promise<void> {
  if (!output) return;
  for (;;) {
    const chunk = await output.read();
    if (!chunk) break;
    await client.write(chunk);
  }
  end("output-ended");
}

async function copyInput(
  client: ClientStream,
  stdin: StdinConnection | undefined,
  options: AttachOptions,
  end: (how: AttachEnd) => void,
): Promise<void> {
  const keys = new DetachKeys(options.tty ? options.detachKeys : new Uint8Array());
  for (;;) {
    const chunk = await client.read();
    if (!chunk) break;
    const { pass, detached } = keys.feed(chunk);
    // Input is read on without a stdin too: a half-close must be seen, and nothing may pile up.
    if (pass.length > 0) await stdin?.write(pass).catch(() => undefined); // the container has closed its input: what comes is thrown away
    if (detached) return end("detached");
  }
  if (options.closeStdin) stdin?.end();
}
