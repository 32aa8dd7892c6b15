/** Fields of one paragraph, names in small letters; later lines of a value are kept with their line ends. */
export type Paragraph = ReadonlyMap<string, string>;

/** Reads Debian's control format: paragraphs of `Field: value`, a value going on in indented lines. Source: deb-control(5), deb822(5). */
export function parseParagraphs(text: string): Paragraph[] {
  return text.split(/\n(?:[ \t]*\n)+/).flatMap((block) => {
    const fields = new Map<string, string>();
    let name = "";
    for (const line of block.split("\n")) {
      const [, key, value = ""] = /^([^\s:#][^\s:]*):[ \t]*(.*)$/.exec(line) ?? [];
      if (key !== undefined) fields.set((name = key.toLowerCase()), value.trimEnd());
      else if (/^[ \t]/.test(line) && name !== "") fields.set(name, `${fields.get(name) ?? ""}\n${line.slice(1)}`);
    }
    return fields.size > 0 ? [fields] : [];
  });
}
