/** `os/arch[/variant]` as the JSON that the API wants; undefined for the empty text. @throws {Error} */
export function platformQuery(text: string): string | undefined {
  if (text === "") return undefined;
  const match = /^([a-z0-9]+)(?:\/([a-z0-9_-]+)(?:\/([a-z0-9._-]+))?)?$/i.exec(text);
  if (!match) throw new Error(`invalid platform: ${JSON.stringify(text)}: must be of the form "os[/arch[/variant]]"`);
  const [, os = "", architecture = "", variant] = match;
  return JSON.stringify({ architecture, os, ...(variant ? { variant } : {}) });
}
