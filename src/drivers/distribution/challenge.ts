/** One way a registry offers to log in. */
export interface Challenge {
  /** Lower case: `bearer` or `basic`. */
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** More are no header of a registry. */
const maximumChallenges = 16;

/**
 * Reads WWW-Authenticate: schemes with parameters in quotes or without, several in one header. What cannot be read ends the list.
 * Source: RFC 9110, 11.6.1.
 */
export function parseChallenges(header: string | null): Challenge[] {
  const challenges: Challenge[] = [];
  const pattern = /\s*,?\s*(?:([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))|([\w!#$%&'*+.^`|~-]+)(?=\s|,|$))/y;
  let parameters = new Map<string, string>();
  const text = (header ?? "").slice(0, 8192);
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text);
    if (!match) break;
    const [, name, quoted, plain, scheme] = match;
    if (scheme !== undefined) {
      if (challenges.length === maximumChallenges) break;
      parameters = new Map();
      challenges.push({ scheme: scheme.toLowerCase(), parameters });
    } else if (name !== undefined) {
      parameters.set(name.toLowerCase(), plain ?? (quoted ?? "").replace(/\\(.)/g, "$1"));
    }
  }
  return challenges;
}
