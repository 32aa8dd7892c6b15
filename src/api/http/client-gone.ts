/** The client has left: what was to be written has no reader. Ends a handler without an answer and without a log line. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
  constructor() {
    super("the client closed the connection");
  }
}
