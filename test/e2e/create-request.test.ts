import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { comparableDocker } from "../support/docker.ts";

// Docker's own client and ours are pointed at a server that writes down what it is asked: for the same command line the requests must be equal.
const docker = comparableDocker();
const folder = mkdtempSync(join(tmpdir(), "gantry-create-request-"));
const socket = join(folder, "s.sock");
const environmentFile = join(folder, "env");
const labelFile = join(folder, "labels");
const seccompFile = join(folder, "seccomp.json");
writeFileSync(environmentFile, "# comment\nONE=1\n\n  TWO=2 3\nGANTRY_TEST_INHERITED\nGANTRY_TEST_ABSENT\n");
writeFileSync(labelFile, "from=file\nplain\n");
writeFileSync(seccompFile, '{ "defaultAction": "SCMP_ACT_ALLOW",\n "syscalls": [] }\n');

interface Request {
  readonly target: string;
  readonly body: unknown;
}
let requests: Request[] = [];
let server: ReturnType<typeof Bun.serve>;

beforeAll(() => {
  server = Bun.serve({
    unix: socket,
    async fetch(request) {
      const { pathname, search, searchParams } = new URL(request.url);
      const text = await request.text();
      if (pathname === "/_ping") return new Response("OK", { headers: { "Api-Version": "1.50", Ostype: "linux" } });
      // Ours asks in its own version first; both go on in the one that this server speaks.
      if (pathname.startsWith("/v1.51/"))
        return Response.json({ message: "client version 1.51 is too new. Maximum supported API version is 1.50" }, { status: 400 });
      searchParams.sort();
      requests.push({
        target: `${pathname}?${search === "" ? "" : searchParams.toString()}`,
        body: text.trim() === "" ? undefined : JSON.parse(text),
      });
      if (request.method === "POST" && /\/(containers|volumes|networks)\/create$/.test(pathname))
        return Response.json({ Id: "a".repeat(64), Name: "a", Warnings: [] }, { status: 201 });
      return Response.json({ message: "recorded" }, { status: 500 });
    },
  });
});

afterAll(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true, force: true });
});

async function requestsOf(command: readonly string[], line: readonly string[]): Promise<readonly Request[]> {
  requests = [];
  const environment = {
    ...process.env,
    DOCKER_HOST: `unix://${socket}`,
    DOCKER_CONFIG: folder,
    GANTRY_TEST_INHERITED: "yes",
    DOCKER_API_VERSION: "",
  };
  const child = Bun.spawn([...command, ...line], { stdin: "ignore", stdout: "ignore", stderr: "ignore", env: environment, cwd: folder });
  await child.exited;
  return requests;
}

/** Docker's client keeps the environment and the binds in maps: their order there is a matter of chance. */
function ordered({ target, body }: Request): Request {
  const text = JSON.stringify(body, (key, value: unknown) =>
    (key === "Env" || key === "Binds") && Array.isArray(value) ? value.map(String).toSorted((one, other) => (one < other ? -1 : 1)) : value,
  );
  return { target, body: text === undefined ? undefined : JSON.parse(text) };
}

const lines = [
  "create busybox",
  "create --name n busybox sh -c true",
  "create -it --rm busybox",
  "create -a stdin -a stdout busybox",
  "create -i -a stderr busybox",
  "create -p 80 -p 8080:81 -p 127.0.0.1:8082:82/udp -p [::1]:8083:83 -p 8090-8092:90-92 -p 7000-7005:99 -P busybox",
  "create -p target=80,published=8080,protocol=udp --expose 90 --expose 91-93/udp busybox",
  "create -v /a:/b:ro -v name:/c -v /anonymous -v ./relative:/d --volumes-from other busybox",
  "create --mount type=bind,src=/x,dst=/y,readonly --mount type=volume,source=v,target=/z,volume-opt=a=b,volume-label=q=r,volume-nocopy busybox",
  "create --mount type=tmpfs,dst=/tm,tmpfs-size=1m,tmpfs-mode=1770 --mount type=bind,src=.,dst=/y,bind-propagation=rshared,bind-nonrecursive busybox",
  "create --mount type=volume,src=v,dst=/s,volume-subpath=a/b --mount type=bind,src=/x,dst=/w,ro,bind-recursive=writable busybox",
  "create --mount type=image,src=busybox,dst=/i,image-subpath=bin busybox",
  "create --mount dst=/anonymous --mount type=volume,dst=/e,volume-driver=local busybox",
  "create --tmpfs /t --tmpfs /u:size=1m,exec busybox",
  "create -e A=B -e GANTRY_TEST_INHERITED -e GANTRY_TEST_ABSENT -e EMPTY= busybox",
  `create --env-file ${environmentFile} -e LAST=1 busybox`,
  `create --label a=b --label plain --label-file ${labelFile} busybox`,
  "create --ulimit nofile=10:20 --ulimit core=-1 --ulimit nofile=30 busybox",
  "create --device /dev/null --device /dev/zero:/dev/z:r --device /dev/full:rw --device-cgroup-rule c_1:*_rmw busybox",
  "create --device vendor.com/class=name busybox",
  "create --network foo --network-alias al --network-alias bl --ip 10.1.2.3 --ip6 fd00::3 --link-local-ip 169.254.1.1 busybox",
  "create --network name=foo,alias=one,alias=two,ip=10.1.2.3,driver-opt=a=b,gw-priority=5 --network bar busybox",
  "create --network name=foo,mac-address=02:42:ac:11:00:02 busybox",
  "create --network host busybox",
  "create --network bridge busybox",
  "create --network container:x busybox",
  "create --network foo busybox",
  "create --network foo --network bar busybox",
  "create --net none busybox",
  "create --link other:alias busybox",
  "create --network foo --link other:alias busybox",
  "create --mac-address 02:42:ac:11:00:02 busybox",
  "create --network foo --mac-address 02:42:ac:11:00:02 busybox",
  "create --health-cmd true --health-interval 1m30s --health-retries 3 --health-timeout 500ms --health-start-period 10s --health-start-interval 1s busybox",
  "create --no-healthcheck busybox",
  "create --restart on-failure:3 busybox",
  "create --restart unless-stopped busybox",
  "create --log-driver json-file --log-opt max-size=1m --log-opt max-file=3 busybox",
  "create --gpus all busybox",
  "create --gpus count=2,driver=nvidia,capabilities=compute busybox",
  "create --blkio-weight 300 --blkio-weight-device /dev/sda:200 --device-read-bps /dev/sda:1mb --device-write-bps /dev/sda:2mb --device-read-iops /dev/sda:10 --device-write-iops /dev/sda:20 busybox",
  "create --cpus 1.5 -c 512 --cpu-period 1000 --cpu-quota 500 --cpuset-cpus 0-1 --cpuset-mems 0 --cpu-rt-period 1 --cpu-rt-runtime 2 busybox",
  "create -m 1g --memory-swap -1 --memory-reservation 512m --memory-swappiness 10 --oom-kill-disable --oom-score-adj 5 --pids-limit 100 --shm-size 64m busybox",
  "create -m 1.5GiB --memory-swap 3gb --kernel-memory 5m busybox",
  "create --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=1 busybox",
  "create --add-host a:1.2.3.4 --add-host b=::1 --add-host c:[::2] --add-host d:host-gateway --dns 8.8.8.8 --dns-search example.com --dns-option ndots:2 busybox",
  "create --security-opt seccomp=unconfined --security-opt no-new-privileges --security-opt label:disable busybox",
  "create --security-opt systempaths=unconfined busybox",
  `create --security-opt seccomp=${seccompFile} busybox`,
  "create --cap-add NET_ADMIN --cap-add ALL --cap-drop CHOWN --privileged --group-add 5 --userns host --cgroupns private busybox",
  "create --ipc host --pid container:x --uts host --isolation default --runtime runc --cgroup-parent /x --read-only busybox",
  "create --init --stop-timeout 4 --stop-signal SIGUSR1 -u 1:2 -w /tmp -h host --domainname example.com busybox",
  "create --init=false --stop-timeout 0 busybox",
  "create --entrypoint /bin/sh busybox -c true",
  "create --entrypoint= busybox",
  "create --annotation a=b --annotation c=d --storage-opt size=1G --volume-driver local busybox",
  "create --platform linux/amd64 busybox:1.36@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
  "ps -a -s -f name=a -f name=b -f status=exited",
  "ps -n 3",
  "images -a -f dangling=true name",
  "stop -t 5 -s INT x",
  "rm -f -v x",
  "rmi -f --no-prune x",
  "tag a:b example.com/c/d:e",
  "network create --subnet 10.0.0.0/8 --ip-range 10.1.0.0/16 --gateway 10.0.0.1 --aux-address a=10.0.0.2 -o x=y --label l=m --internal --ipv6 n",
  "network create -d macvlan n",
  "network connect --alias a --ip 10.0.0.3 --driver-opt k=v n c",
  "network disconnect -f n c",
  "volume create -d local -o type=tmpfs --label a=b v",
  "volume create",
  "volume prune -f --all --filter label=x",
  "image prune -f -a",
  "events --since 10 --until 20 -f type=container",
] as const;

const ours = [process.execPath, join(import.meta.dir, "../../src/main.ts")];

describe.skipIf(docker === undefined)("requests equal those of Docker's client (skipped: docker 28 is not installed)", () => {
  for (const line of lines) {
    test(line.replaceAll(folder, "DIR"), async () => {
      // An underscore stands for a space inside of one argument.
      const words = line.split(" ").map((word) => (word.startsWith("c_") ? word.replaceAll("_", " ") : word));
      const theirs = await requestsOf([docker ?? ""], words);
      expect(theirs.length).toBeGreaterThan(0);
      expect((await requestsOf(ours, words)).map(ordered)).toEqual(theirs.map(ordered));
    });
  }
});
