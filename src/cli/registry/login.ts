import { isKind, messageOf } from "#lib/errors.ts";
import { atMost, command, type Invocation } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { printNote } from "../note.ts";
import { storedCredentials, type AuthConfig } from "./credentials.ts";
import { storeCredentials } from "./keep-credentials.ts";
import { serverKey } from "./server.ts";

const flags = {
  password: text("p", "Password or access token; other users of this host may see it, --password-stdin is safer"),
  passwordStdin: bool(undefined, "Read the password or access token from stdin"),
  username: text("u", "Name of the user"),
} as const;

type LogIn = Parameters<Parameters<typeof command<typeof flags>>[0]["run"]>[0];

export const login = command({
  usage: "[OPTIONS] [SERVER]",
  args: atMost(1),
  flags,
  examples: ["login -u me registry.example:5000", "login -u me --password-stdin registry.example < token"],
  run: async (invocation) => {
    checkFlags(invocation);
    const given = await givenPassword(invocation);
    const key = serverKey(invocation.args[0] ?? "");
    const stored = invocation.flags.username === "" && given === "" ? await storedCredentials(await invocation.config(), key) : undefined;
    if (stored?.username && stored.password && (await isStillGood(invocation, key, stored))) return;
    await logIn(invocation, key, await credentialsOf(invocation, key, given));
  },
});

/** @throws {ExitError} with Docker's words */
function checkFlags({ flags: given, changed }: LogIn): void {
  if (changed.has("passwordStdin")) {
    if (changed.has("password")) throw new ExitError(1, "conflicting options: cannot specify both --password and --password-stdin");
    if (!changed.has("username")) throw new ExitError(1, "the --password-stdin option requires --username to be set");
  }
  if (changed.has("username") && given.username === "") throw new ExitError(1, "username is empty");
  if (changed.has("password") && given.password === "") throw new ExitError(1, "password is empty");
}

async function givenPassword({ flags: given, err }: LogIn): Promise<string> {
  if (given.passwordStdin) return (await Bun.stdin.text()).replace(/\r?\n$/, "");
  if (given.password !== "") await err.line("WARNING! Using --password via the CLI is insecure. Use --password-stdin.");
  return given.password;
}

/** Tries what is kept already. */
async function isStillGood(invocation: LogIn, key: string, stored: AuthConfig): Promise<boolean> {
  const { err } = invocation;
  await err.line(`Authenticating with existing credentials... [Username: ${stored.username ?? ""}]`);
  const hint = `To login with a different account, run '${invocation.program} logout' followed by '${invocation.program} login'`;
  await printNote(err, hint, await invocation.isTerminal(2));
  await err.write("\n\n");
  try {
    await logIn(invocation, key, stored);
    return true;
  } catch (error) {
    await err.line(
      isKind(error, "unauthorized") ? "Stored credentials invalid or expired" : `Login did not succeed, error: ${messageOf(error)}`,
    );
    return false;
  }
}

async function credentialsOf(invocation: LogIn, key: string, given: string): Promise<AuthConfig> {
  const { flags: flagged, isTerminal } = invocation;
  const isAsking = flagged.username === "" || given === "";
  if (isAsking && !(await isTerminal(0))) throw new ExitError(1, "Error: Cannot perform an interactive login from a non TTY device");
  const { askLine, askSecret } = await import("./prompt.ts");
  const username = flagged.username.trim() || (await askLine(invocation, "Username: "));
  if (username === "") throw new ExitError(1, "Error: Non-null Username Required");
  const password = given || (await askSecret(invocation, "Password: "));
  if (password === "") throw new ExitError(1, "Error: Password Required");
  return { username, password, serveraddress: key };
}

async function logIn(invocation: Pick<Invocation, "client" | "config" | "out" | "err">, key: string, auth: AuthConfig): Promise<void> {
  const { client, config, out, err } = invocation;
  const { Status: status = "", IdentityToken: identityToken } = await client.system.logIn(auth);
  const kept = identityToken ? { username: auth.username ?? "", identitytoken: identityToken, serveraddress: key } : auth;
  const path = await storeCredentials(await config(), key, kept).catch((error: unknown) => {
    throw new ExitError(1, `Error saving credentials: ${messageOf(error)}`);
  });
  if (path !== undefined)
    await err.line(
      `\nWARNING! Your credentials are stored unencrypted in '${path}'.\nConfigure a credential helper to remove this warning. See\n` +
        "https://docs.docker.com/go/credential-store/\n",
    );
  if (status !== "") await out.line(status);
}
