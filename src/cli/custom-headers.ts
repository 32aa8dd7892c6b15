/** Fields that belong to the connection and to each request; nobody else may set them. */
const own = new Set(["connection", "content-length", "content-type", "host", "transfer-encoding", "upgrade", "user-agent"]);

/**
 * `HttpHeaders` of config.json as header fields for every request; those of the client's own are left out.
 * @throws {Error} for a name that HTTP does not allow. Source: RFC 9110, "Tokens".
 */
export function customHeaders(configured: Readonly<Record<string, string>>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(configured)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) throw new Error(`invalid header field name ${JSON.stringify(name)} in HttpHeaders`);
    if (!own.has(name.toLowerCase())) headers[name] = value;
  }
  return headers;
}
