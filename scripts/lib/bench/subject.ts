import { loadBusybox } from "../../../test/support/images.ts";
import type { CompiledDaemon } from "../compiled-daemon.ts";
import { enginePids } from "./memory.ts";

/** A client with its engine: what is compared. */
export interface Subject {
  readonly name: string;
  readonly command: (...args: readonly string[]) => string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Processes of the engine, without those of the containers; absent where another subject has the same engine. */
  readonly engine?: () => number[];
  /** Where that engine listens, for what is measured without a client; absent where `engine` is. */
  readonly socket?: string;
}

/** Name of the test image in every engine. */
export const image = "busybox:latest";

/** Docker and Podman where they are installed and answer, then ours: with Docker's client, and with our own. */
export async function findSubjects(gantry: CompiledDaemon): Promise<Subject[]> {
  const docker = Bun.which("docker");
  const ours: Subject[] = [
    ...(docker ? [client("docker CLI on gantry", docker, gantry.host)] : []),
    {
      ...client("gantry", gantry.executable, gantry.host),
      engine: () => enginePids(gantry.pid(), "conmon", gantry.execRoot),
      socket: socketOf(gantry.host),
    },
  ];
  return [...(await findDocker(docker)), ...(await findPodman()), ...ours];
}

function client(name: string, program: string, host: string): Subject {
  return { name, command: (...args) => [program, ...args], environment: { DOCKER_HOST: host } };
}

async function findDocker(program: string | null): Promise<Subject[]> {
  const host = process.env["GANTRY_PEER_DOCKER_HOST"] ?? "unix:///var/run/docker.sock";
  if (!program || !(await succeeds([program, "-H", host, "version"]))) {
    console.error(`Docker does not answer at ${host}: left out`);
    return [];
  }
  const socket = socketOf(host);
  await loadBusybox({ socket });
  return [{ ...client("docker", program, host), engine: () => enginePids(undefined, "dockerd|containerd.*|docker-proxy", ""), socket }];
}

function socketOf(host: string): string {
  return host.replace("unix://", "");
}

async function findPodman(): Promise<Subject[]> {
  const program = Bun.which("podman");
  const subject: Subject = { name: "podman", command: (...args) => [program ?? "", ...args], environment: {} };
  if (!program || !(await succeeds([program, "image", "exists", image]))) {
    console.error(`Podman is not installed, or has no ${image}: left out`);
    return [];
  }
  return [subject];
}

async function succeeds(command: string[]): Promise<boolean> {
  return (await Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"] }).exited) === 0;
}

/** Runs one command of a subject; `NAME` in an argument becomes a name of the subject's own, for two of them share an engine. */
export async function invoke(subject: Subject, args: readonly string[]): Promise<void> {
  const own = args.map((argument) => argument.replace("NAME", subject.name.replaceAll(" ", "-")));
  const child = Bun.spawn(subject.command(...own), {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", ...subject.environment },
  });
  const [text, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new Error(`${subject.name} ${args.join(" ")}: ${text}`);
}
