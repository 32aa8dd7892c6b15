/** 64 lowercase hex digits, as Docker's ids of containers, networks and execs. */
export function randomId(): string {
  // An id whose first twelve digits are all decimal could be read as a number (as a host name, for instance): make another.
  for (;;) {
    const id = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
    if (!/^\d{12}/.test(id)) return id;
  }
}

export function shortId(id: string): string {
  return (id.startsWith("sha256:") ? id.slice(7) : id).slice(0, 12);
}
