import { afterAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { TestCertificates } from "../../support/certificates.ts";
import { startRealRegistry, type RealRegistry, type RealRegistryOptions } from "../../support/docker-registry.ts";
import { scratchFolder } from "../../support/scratch-folder.ts";
import { startTokenServer } from "../../support/token-server.ts";
import { dockerArchive, image, ociArchive, type FixtureImage } from "./fixtures.ts";
import { openMachine, type Machine } from "./machine.ts";

// Debian's docker-registry behind TLS, client certificates, passwords and tokens: pulled from, pushed to, logged in at.
const folder = scratchFolder("registry-security", afterAll);
const user = { name: "alice", password: "wonder-land" };
const auth = (fields: object): string => Buffer.from(JSON.stringify(fields)).toString("base64url");
const password = auth({ username: user.name, password: user.password });
/** An address of this host that is not loopback: for loopback nothing is verified. */
const address = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ family, internal }) => family === "IPv4" && !internal)?.address;

// An authority, a certificate of the registry by it, and one of a client.
const certificates = new TestCertificates(folder);
certificates.authority("authority");
certificates.issue({ by: "authority", name: "server", extensions: `subjectAltName=IP:${address ?? "127.0.0.1"},IP:127.0.0.1` });
certificates.issue({ by: "authority", name: "client", extensions: "extendedKeyUsage=clientAuth" });

function tls(wantsClients = false): NonNullable<RealRegistryOptions["tls"]> {
  const [certificate, key] = [certificates.path("server.pem"), certificates.path("server.key")];
  return { certificate, key, ...(wantsClients && { clientAuthority: certificates.path("authority.pem") }) };
}

async function started(options: Omit<RealRegistryOptions, "folder">): Promise<RealRegistry> {
  const own = join(folder, randomBytes(4).toString("hex"));
  mkdirSync(own);
  return startRealRegistry({ ...options, folder: own });
}

/** As `certs.d`: what is known of one registry. */
function certificateFolder(host: string, withClient: boolean): string {
  const root = join(folder, `certs-${randomBytes(4).toString("hex")}`);
  mkdirSync(join(root, host), { recursive: true });
  copyFileSync(certificates.path("authority.pem"), join(root, host, "ca.crt"));
  if (withClient) {
    copyFileSync(certificates.path("client.pem"), join(root, host, "client.cert"));
    copyFileSync(certificates.path("client.key"), join(root, host, "client.key"));
  }
  return root;
}

const made = image([{ one: randomBytes(100_000) }]);

async function held(machine: Machine, name: string, what: FixtureImage = made): Promise<string> {
  await machine.load(ociArchive(what, { "org.opencontainers.image.ref.name": name }));
  return name;
}

describe.skipIf(address === undefined)("not on loopback (skipped: this host has no other address)", () => {
  test("a registry of an unknown authority is refused, one of a known authority is pushed to and pulled from (REG-21)", async () => {
    await using registry = await started({ address: address ?? "", tls: tls() });
    await using stranger = await openMachine();
    const name = await held(stranger, `${registry.host}/team/app:1`);
    const refused = `Get "https://${registry.host}/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`;
    await expect(stranger.push(name)).rejects.toThrow(refused);
    await expect(stranger.pull(name)).rejects.toThrow(refused);
    const certificateFolders = [join(folder, "none"), certificateFolder(registry.host, false)];
    await using machine = await openMachine({ certificateFolders });
    await machine.push(await held(machine, name));
    await using other = await openMachine({ certificateFolders });
    await other.pull(name);
    expect(other.images.find(name).manifestDigest).toBe(made.manifest.digest);
  });

  test("a large layer goes there while it is compressed, with TLS and a password, and comes back in parts (IMG-28, IMG-29)", async () => {
    await using registry = await started({ address: address ?? "", tls: tls(), user });
    const certificateFolders = [certificateFolder(registry.host, false)];
    await using machine = await openMachine({ certificateFolders });
    const name = `${registry.host}/team/large:1`;
    await machine.load(dockerArchive(image([{ one: randomBytes(70 << 20) }], { compress: "none" }), [name]));
    await machine.push(name, { auth: password });
    await using other = await openMachine({ certificateFolders });
    await other.pull(name, { auth: password });
    expect(other.images.find(name)).toMatchObject({
      id: machine.images.find(name).id,
      manifestDigest: machine.images.find(name).manifestDigest,
    });
    expect(await other.leftovers()).toEqual([]);
  }, 60_000);

  test("a registry that wants to know who we are is shown the client's certificate", async () => {
    await using registry = await started({ address: address ?? "", tls: tls(true) });
    await using stranger = await openMachine({ certificateFolders: [certificateFolder(registry.host, false)] });
    const name = await held(stranger, `${registry.host}/a:1`);
    await expect(stranger.push(name)).rejects.toThrow(`Get "https://${registry.host}/v2/": `);
    await using machine = await openMachine({ certificateFolders: [certificateFolder(registry.host, true)] });
    await machine.push(await held(machine, name));
    await machine.pull(name);
  });

  test("plain HTTP is refused unless the registry is listed (REG-22)", async () => {
    await using registry = await started({ address: address ?? "" });
    await using careful = await openMachine();
    const name = await held(careful, `${registry.host}/a:1`);
    await expect(careful.push(name)).rejects.toThrow(`Get "https://${registry.host}/v2/": `);
    await expect(careful.pull(name)).rejects.toThrow(`Get "https://${registry.host}/v2/": `);
    for (const listed of [registry.host, `${address ?? ""}/32`]) {
      await using machine = await openMachine({ insecureRegistries: [listed] });
      await machine.push(await held(machine, name));
      await machine.pull(name);
    }
  });
});

test("half a pair of certificates is told in Docker's words", async () => {
  await using machine = await openMachine({ certificateFolders: [folder] });
  mkdirSync(join(folder, "registry.invalid"));
  writeFileSync(join(folder, "registry.invalid/client.cert"), "");
  await expect(machine.pull("registry.invalid/a:1")).rejects.toThrow(
    "missing key client.key for client certificate client.cert. CA certificates must use the extension .crt",
  );
});

test("a registry with passwords is pushed to with the right one alone (REG-16, REG-23)", async () => {
  await using registry = await started({ user });
  await using machine = await openMachine();
  const name = await held(machine, `${registry.host}/team/app:1`);
  await expect(machine.push(name)).rejects.toThrow("no basic auth credentials");
  const wrong = auth({ username: user.name, password: "wrong" });
  await expect(machine.push(name, { auth: wrong })).rejects.toThrow("unauthorized: authentication required");
  await machine.push(name, { auth: password });
  await expect(machine.pull(name)).rejects.toThrow("no basic auth credentials");
  await machine.pull(name, { auth: password });
});

test("a registry with a token server: scopes, identity tokens, a wrong password (REG-15)", async () => {
  await using tokens = await startTokenServer(folder, user);
  await using registry = await started({ tokenServer: tokens });
  await using machine = await openMachine();
  const { registries } = machine.deps;
  const never = new AbortController().signal;
  const name = await held(machine, `${registry.host}/team/app:1`);
  const { identityToken } = await registries.logIn(registry.host, { username: user.name, password: user.password }, never);
  expect(identityToken).toBe(tokens.refreshToken);
  await expect(registries.logIn(registry.host, { username: user.name, password: "wrong" }, never)).rejects.toMatchObject({
    kind: "unauthorized",
    message: `Get "http://${registry.host}/v2/": unauthorized: incorrect username or password`,
  });
  await expect(machine.push(name)).rejects.toThrow("unauthorized: incorrect username or password");
  await machine.push(name, { auth: password });
  expect(tokens.asked).toContain("repository:team/app:pull,push");
  await machine.images.tag(name, `${registry.host}/other/app`, "1");
  await machine.push(`${registry.host}/other/app:1`, { auth: auth({ identitytoken: identityToken }) });
  expect(tokens.asked).toContain("repository:other/app:pull,push repository:team/app:pull");
  await machine.pull(`${registry.host}/other/app:1`, { auth: auth({ identitytoken: identityToken }) });
});

test("a log-in with a password is checked at the registry", async () => {
  await using registry = await started({ user });
  await using machine = await openMachine();
  const { registries } = machine.deps;
  const never = new AbortController().signal;
  expect(await registries.logIn(`http://${registry.host}`, { username: user.name, password: user.password }, never)).toEqual({
    identityToken: "",
  });
  await expect(registries.logIn(registry.host, { username: user.name, password: "wrong" }, never)).rejects.toThrow(
    `login attempt to http://${registry.host}/v2/ failed with status: 401 Unauthorized`,
  );
});
