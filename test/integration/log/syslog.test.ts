import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import tls from "node:tls";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { scratchFolder } from "../../support/scratch-folder.ts";
import { until } from "../../support/until.ts";
import { makeCertificates } from "../api/certificates.ts";

// Outside of hooks: an afterAll that a hook registers runs too early.
const rsyslogFolder = scratchFolder("rsyslog", afterAll);

/** A real rsyslogd that takes messages on every transport and writes what it understood, one line each. */
class Rsyslog implements AsyncDisposable {
  readonly folder = rsyslogFolder;
  readonly port = 20_000 + Math.floor(Math.random() * 10_000);
  readonly socket = `${this.folder}/log`;
  #child: Bun.Subprocess | undefined;

  async start(): Promise<this> {
    const configuration = `
      global(workDirectory="${this.folder}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")
      module(load="imudp") module(load="imtcp") module(load="imuxsock" SysSock.Use="off")
      template(name="understood" type="string"
        string="%syslogfacility-text%|%syslogseverity-text%|%hostname%|%syslogtag%|%procid%|%timereported:::date-rfc3339%|%msg%\\n")
      action(type="omfile" file="${this.folder}/messages" template="understood" flushOnTXEnd="on")
      input(type="imudp" address="127.0.0.1" port="${this.port}")
      input(type="imtcp" address="127.0.0.1" port="${this.port}")
      input(type="imuxsock" Socket="${this.socket}" UseSysTimeStamp="off" ParseHostname="off")`;
    writeFileSync(`${this.folder}/configuration`, configuration);
    const program = Bun.which("rsyslogd", { PATH: `${process.env["PATH"]}:/usr/sbin` }) ?? "rsyslogd";
    const files = ["-f", `${this.folder}/configuration`, "-i", `${this.folder}/pid`];
    this.#child = Bun.spawn([program, "-n", ...files], { stdio: ["ignore", "ignore", "inherit"] });
    await until(() => existsSync(`${this.folder}/pid`) && existsSync(this.socket));
    return this;
  }

  async stop(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.exited;
  }

  /** Fields of the messages whose text has `part`. */
  messages(part: string): string[][] {
    const path = `${this.folder}/messages`;
    if (!existsSync(path)) return [];
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line.includes(part))
      .map((line) => line.split("|"));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

let daemon: TestDaemon;
let server: Rsyslog;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  server = await new Rsyslog().start();
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
  await server.stop();
});

const logTo = (address: string, ...options: string[]): string[] => [
  ...["--log-driver", "syslog", "--log-opt", `syslog-address=${address}`],
  ...options.flatMap((option) => ["--log-opt", option]),
];

async function shownTime(name: string): Promise<number> {
  return Date.parse((await cli("logs", "-t", name)).stdout.split(" ")[0] ?? "");
}

describe("rsyslog understands (LOG-07, LOG-16)", () => {
  // In the older form a colon ends the tag.
  const [shortTag, longTag] = ["{{.Name}}.{{.ID}}", "{{.ImageName}}/{{.Name}}/{{.ID}}"];
  test.each([
    ["udp", "rfc3164", shortTag],
    ["tcp", "rfc3164", shortTag],
    ["tcp", "rfc5424", longTag],
    ["tcp", "rfc5424micro", longTag],
    ["udp", "rfc5424", longTag],
    ["unixgram", "", shortTag],
  ])("messages by %s in the form %p", async (scheme, format, tag) => {
    const address = scheme === "unixgram" ? `${scheme}://${server.socket}` : `${scheme}://127.0.0.1:${server.port}`;
    const name = `s-${scheme}-${format}`;
    const script = `echo "out of ${name}"; echo; sleep 0.05; echo "err of ${name}" >&2`;
    const options = [`syslog-format=${format}`, "syslog-facility=local3", `tag=${tag}`];
    await cli("run", "--name", name, ...logTo(address, ...options), busybox, "sh", "-c", script);
    await until(() => server.messages(`of ${name}`).length === 2);
    const [out = [], err = []] = server.messages(`of ${name}`);
    const id = (await cli("inspect", "-f", "{{.Id}}", name)).stdout.slice(0, 12);
    expect([out[0], out[1], err[1], out[2]]).toEqual(["local3", "info", "err", hostname()]);
    expect(out[3]).toContain(tag === shortTag ? `${name}.${id}` : `${busybox}/${name}/${id}`);
    expect(out[6]?.trim()).toBe(`out of ${name}`);
    const precision = format === "rfc5424micro" ? 1 : 1000;
    expect(Math.abs(Date.parse(out[5] ?? "") - (await shownTime(name)))).toBeLessThanOrEqual(precision);
    await cli("rm", name);
  });

  test("every record of a container that prints much, in order (LOG-20)", async () => {
    await cli("run", "-d", "--name", "much", ...logTo(`tcp://127.0.0.1:${server.port}`, "tag=much"), busybox, "seq", "1", "30000");
    await until(() => server.messages("|much[").at(-1)?.[6]?.trim() === "30000", 20_000);
    const numbers = server.messages("|much[").map((fields) => Number(fields[6]));
    expect(numbers.length).toBe(30_000);
    expect(numbers.every((number, index) => number === index + 1)).toBe(true);
    await cli("rm", "-f", "much");
  }, 30_000);
});

test("over a restart of the server, and of the daemon in between, no line is missing (LOG-18)", async () => {
  const script = "seq 1 100; sleep 2; seq 101 200; sleep 2; seq 201 300; sleep 1000";
  await cli("run", "-d", "--name", "again", ...logTo(`tcp://127.0.0.1:${server.port}`, "tag=again"), busybox, "sh", "-c", script);
  await until(() => server.messages("|again[").length >= 100);
  await server.stop();
  await Bun.sleep(1500);
  await daemon.kill();
  await daemon.start();
  await until(async () => (await cli("logs", "--tail", "1", "again")).stdout === "300\n");
  await server.start();
  await until(() => server.messages("|again[").at(-1)?.[6]?.trim() === "300");
  const numbers = new Set(server.messages("|again[").map((fields) => Number(fields[6])));
  expect([...numbers]).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
  await cli("rm", "-f", "again");
}, 60_000);

describe("TLS (LOG-07)", () => {
  const certificates = makeCertificates();
  const received: string[] = [];
  let rest = Buffer.alloc(0);
  const options = {
    cert: readFileSync(certificates("engine.pem")),
    key: readFileSync(certificates("engine.key")),
    ca: readFileSync(certificates("ours.pem")),
    requestCert: true,
    rejectUnauthorized: true,
  };
  /** Messages by their length. Source: RFC 5425, 4.3. */
  const listener = tls.createServer(options, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      for (let match = /^(\d+) /.exec(rest.toString("latin1", 0, 12)); match; match = /^(\d+) /.exec(rest.toString("latin1", 0, 12))) {
        const start = match[0].length;
        const end = start + Number(match[1]);
        if (rest.length < end) break;
        received.push(rest.toString("utf8", start, end));
        rest = rest.subarray(end);
      }
    });
  });
  let address = "";
  beforeAll(async () => {
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const bound = listener.address();
    address = `tcp+tls://127.0.0.1:${typeof bound === "object" ? bound?.port : 0}`;
  });
  afterAll(() => void listener.close());

  const own = [`syslog-tls-cert=${certificates("alice.pem")}`, `syslog-tls-key=${certificates("alice.key")}`];

  test("messages go to a server whose certificate is good, told apart by their length", async () => {
    const log = logTo(address, "syslog-format=rfc5424", `syslog-tls-ca-cert=${certificates("ours.pem")}`, ...own);
    const finished = await cli("run", "--rm", ...log, busybox, "sh", "-c", "echo one; echo two");
    expect([finished.stdout, finished.code]).toEqual(["one\ntwo\n", 0]);
    await until(() => received.length === 2);
    expect(received.map((message) => message.slice(-7))).toEqual([" - one\n", " - two\n"]);
  });

  test("a container does not start when the certificate is another authority's, unless that is skipped", async () => {
    const wrong = `syslog-tls-ca-cert=${certificates("theirs.pem")}`;
    const refused = await cli("run", "--rm", ...logTo(address, wrong, ...own), busybox, "true");
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain("failed to initialize logging driver: tls: ");
    const skipped = logTo(address, wrong, ...own, "syslog-tls-skip-verify=true", "syslog-format=rfc5424");
    expect((await cli("run", "--rm", ...skipped, busybox, "echo", "three")).code).toBe(0);
    await until(() => received.some((message) => message.endsWith(" - three\n")));
  });

  test("a certificate that is not there is told with its path", async () => {
    const missing = await cli("run", "--rm", ...logTo(address, "syslog-tls-ca-cert=/nope"), busybox, "true");
    expect(missing.stderr).toContain('could not read CA certificate "/nope": open /nope: no such file or directory');
  });
});
