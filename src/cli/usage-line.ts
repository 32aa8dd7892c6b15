/** The usage line of a command. Further ways to call it stand on lines of their own, which begin with a tab and lack the program's name. */
export function usageLine(path: string, usage: string): string {
  if (usage === "") return path;
  return `${path} ${usage}`.replaceAll("\n\t", `\n\t${path.split(" ", 1)[0] ?? ""} `);
}
