/** `os/arch[/variant]` as the JSON that the API wants; undefined for the empty text. @throws {Error} */
export function platformQuery(text: string): string | undefined {
  if (text === "") return undefined;
  const [os = "", architecture = "", variant] = platformParts(text);
  return JSON.stringify({ architecture, os, ...(variant ? { variant } : {}) });
}

const component = "^[A-Za-z0-9_.-]+$";

/** The three parts of a platform. @throws {Error} with containerd's words. Source: github.com/containerd/platforms, Parse. */
export function platformParts(text: string): readonly string[] {
  const [os = "", architecture, variant, ...rest] = text.split("/");
  const parts = [os, architecture, variant, rest.length > 0 ? rest.join("/") : undefined].filter((part) => part !== undefined);
  for (const part of parts) {
    if (new RegExp(component).test(part)) continue;
    throw new Error(
      `${JSON.stringify(part)} is an invalid component of ${JSON.stringify(text)}: platform specifier component must match "${component}": invalid argument`,
    );
  }
  if (parts.length > 3) throw new Error(`${JSON.stringify(text)}: cannot parse platform specifier: invalid argument`);
  return parts;
}

/** As {@link platformQuery}, where a system or an architecture alone stands for that of this machine. @throws {Error} with containerd's words */
export function wholePlatformQuery(text: string): string | undefined {
  if (text === "" || text.includes("/")) return platformQuery(text);
  const [word = ""] = platformParts(text);
  if (["linux", "windows", "darwin", "freebsd"].includes(word.toLowerCase()))
    return platformQuery(`${word.toLowerCase()}/${process.arch === "x64" ? "amd64" : process.arch}`);
  if (/^(386|amd64|arm|arm64|loong64|mips\w*|ppc64\w*|riscv64|s390x|wasm)$/.test(word)) return platformQuery(`linux/${word}`);
  throw new Error(`${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`);
}
