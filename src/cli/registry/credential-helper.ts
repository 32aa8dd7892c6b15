/** What a helper keeps for a registry. */
export interface HelperCredentials {
  readonly username: string;
  readonly secret: string;
}

/** Stands for the name where the secret is an identity token. Source: docker-credential-helpers. */
export const tokenUsername = "<token>";

/**
 * One `docker-credential-NAME`: a program of somebody else that keeps passwords. Everything goes over its stdin and stdout, nothing over its
 * arguments. Source: docker-credential-helpers, "Development".
 */
export class CredentialHelper {
  readonly #program: string;

  /** @throws {Error} for a name that would lead elsewhere */
  constructor(name: string) {
    if (!/^[\w.-]+$/.test(name)) throw new Error(`invalid name of a credential helper: ${JSON.stringify(name)}`);
    this.#program = `docker-credential-${name}`;
  }

  /** @returns undefined when it has none for the server */
  async get(server: string): Promise<HelperCredentials | undefined> {
    const { code, out } = await this.#run("get", server);
    if (code !== 0 && out.trim() === "credentials not found in native keychain") return undefined;
    const { Username = "", Secret = "" } = parse(checked("get", code, out));
    return { username: text(Username), secret: text(Secret) };
  }

  async store(server: string, { username, secret }: HelperCredentials): Promise<void> {
    const { code, out } = await this.#run("store", JSON.stringify({ ServerURL: server, Username: username, Secret: secret }));
    // A helper may repeat what it was given.
    checked("store", code, secret === "" ? out : out.replaceAll(secret, "<redacted>"));
  }

  async erase(server: string): Promise<void> {
    const { code, out } = await this.#run("erase", server);
    checked("erase", code, out);
  }

  async #run(action: Action, input: string): Promise<{ readonly code: number; readonly out: string }> {
    if (!Bun.which(this.#program)) throw failure(action, `exec: "${this.#program}": executable file not found in $PATH`, "");
    const child = Bun.spawn([this.#program, action], { stdin: new TextEncoder().encode(input), stdout: "pipe", stderr: "inherit" });
    const [out, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
    return { code, out };
  }
}

type Action = "get" | "store" | "erase";

const doing: Readonly<Record<Action, string>> = { get: "getting", store: "storing", erase: "erasing" };

function checked(action: Action, code: number, out: string): string {
  if (code !== 0) throw failure(action, `exit status ${code}`, out.trim());
  return out;
}

function failure(action: Action, reason: string, out: string): Error {
  return new Error(`error ${doing[action]} credentials - err: ${reason}, out: \`${out}\``);
}

function parse(out: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(out);
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch (error) {
    throw new Error("the credential helper has answered no JSON", { cause: error });
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
