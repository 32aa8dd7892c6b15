import { describe, expect, test } from "bun:test";
import { chmodSync, closeSync, rmSync } from "node:fs";
import { auditInstance } from "../../../src/helper/audit/audit.ts";
import { runAudit } from "../../../src/helper/audit/command.ts";
import type { Difference } from "../../../src/helper/audit/difference.ts";
import { createNetworkNamespace, nameNetworkNamespace } from "../../../src/os/netns.ts";
import { containerRecord, networkRecord, plantInstance, runningState } from "./planted-instance.ts";

const id = "ab".repeat(32);
const other = "cd".repeat(32);
const digestOf = (text: string): string => `sha256:${new Bun.CryptoHasher("sha256").update(text).digest("hex")}`;
const hexOf = (digest: string): string => digest.slice("sha256:".length);
const subjects = (differences: readonly Difference[], kind: Difference["kind"]): string[] =>
  differences.filter((difference) => difference.kind === kind).map(({ subject }) => subject);

test("an instance without objects has no differences", async () => {
  using planted = plantInstance();
  expect(await planted.audit(true)).toEqual([]);
});

describe("what nobody owns is told:", () => {
  test("a mount of a container without record", async () => {
    using planted = plantInstance();
    const { rootfs, folder } = planted.paths.container(id);
    planted.tmpfs(rootfs);
    expect(await planted.audit()).toEqual([
      { kind: "mount", subject: rootfs, message: "is mounted, but no record names the container: nothing should be" },
      { kind: "file", subject: folder, message: "exists, but no record names the container" },
    ]);
  });

  test("a mount of a container that has ended, and one in a place where none belongs", async () => {
    using planted = plantInstance();
    planted.put("container", id, containerRecord(id, {}));
    planted.tmpfs(planted.paths.container(id).rootfs);
    planted.tmpfs(`${planted.instance.execRoot}/somewhere`);
    const mounts = subjects(await planted.audit(), "mount");
    expect(mounts.sort()).toEqual([planted.paths.container(id).rootfs, `${planted.instance.execRoot}/somewhere`].sort());
  });

  test("a loop device with an archive that no mounted layer has", async () => {
    using planted = plantInstance();
    const archive = `${planted.paths.layers}/tars/${"ef".repeat(32)}`;
    planted.file(archive, "x".repeat(4096));
    const device = planted.loopDevice(archive);
    expect(await planted.audit()).toContainEqual({
      kind: "mount",
      subject: device,
      message: `has ${archive} attached, which nothing mounted needs`,
    });
  });

  test("a network namespace", async () => {
    using planted = plantInstance();
    const path = `${planted.paths.networkNamespaces}/${id.slice(0, 12)}-123456`;
    planted.folder(planted.paths.networkNamespaces);
    const { descriptor } = createNetworkNamespace([], () => undefined);
    nameNetworkNamespace(descriptor, path);
    closeSync(descriptor);
    expect(await planted.audit()).toEqual([{ kind: "netns", subject: path, message: "exists, but no running container has it" }]);
  });

  test("a bridge and the host's end of an endpoint", async () => {
    using planted = plantInstance();
    const { linkPrefix } = planted.instance;
    planted.bridge(`${linkPrefix}v123456789`);
    planted.bridge(`${linkPrefix}b123456789`);
    planted.bridge(`${linkPrefix}x1`); // no name of ours
    expect(subjects(await planted.audit(), "link").sort()).toEqual([`${linkPrefix}b123456789`, `${linkPrefix}v123456789`]);
  });

  test("a cgroup", async () => {
    using planted = plantInstance();
    const path = planted.cgroup(id);
    planted.cgroup("daemon");
    expect(await planted.audit()).toEqual([{ kind: "cgroup", subject: path, message: "exists, but no record names the container" }]);
  });

  test("a state of the runtime, and not what it keeps for itself", async () => {
    using planted = plantInstance();
    const runtime = `${planted.paths.runtimeState}/crun`;
    planted.file(`${runtime}/.cache/seccomp/0123abcd`);
    planted.file(`${runtime}/${id}/status`);
    expect(subjects(await planted.audit(), "file")).toEqual([`${runtime}/${id}`]);
  });

  test("a monitor", async () => {
    using planted = plantInstance();
    const pid = planted.program("conmon", "-c", id, "-b", planted.paths.container(id).bundle);
    expect(await planted.audit()).toEqual([
      { kind: "process", subject: String(pid), message: "conmon of a container that does not run, should have ended" },
    ]);
  });

  test("an element of the firewall table, and the chains that are missing there", async () => {
    using planted = plantInstance();
    const { nftTable } = planted.instance;
    planted.nft(`add table inet ${nftTable}`);
    planted.nft(`add map inet ${nftTable} published4 { type inet_proto . inet_service : ipv4_addr . inet_service; }`);
    planted.nft(`add element inet ${nftTable} published4 { tcp . 8080 : 192.0.2.7 . 80 }`);
    const differences = await planted.audit();
    expect(subjects(differences, "firewall")).toContain("published4 tcp . 8080");
    expect(subjects(differences, "firewall")).toContain(`chain forward of ${nftTable}`);
  });

  test("files: bundle, exit file, runtime state, exec, temporary file, volume", async () => {
    using planted = plantInstance();
    const { paths, instance } = planted;
    const files = [
      paths.container(id).bundle,
      `${paths.exits}/crun/${id}`,
      `${paths.runtimeState}/crun/${id}`,
      `${instance.execRoot}/execs/0123456789abcdef`,
      `${paths.temporary}/left`,
      `${paths.content}/tmp/left`,
    ];
    for (const file of files) planted.file(file);
    planted.folder(`${paths.volumes}/lost/_data`);
    const differences = await planted.audit();
    expect(subjects(differences, "file").sort()).toEqual(files.sort());
    expect(subjects(differences, "volume")).toEqual(["lost"]);
  });

  test("layers and blobs", async () => {
    using planted = plantInstance();
    const { layers, content } = planted.paths;
    const hex = hexOf(digestOf("lost"));
    const paths = [`${layers}/chains/${hex}`, `${layers}/tars/${hex}`, `${layers}/mounts/${hex}`];
    planted.file(`${layers}/chains/${hex}/layer.json`);
    planted.file(`${layers}/tars/${hex}`);
    planted.folder(`${layers}/mounts/${hex}`);
    planted.file(`${content}/blobs/sha256/${hex}`);
    const differences = await planted.audit();
    expect(subjects(differences, "layer")).toEqual(paths);
    expect(subjects(differences, "blob")).toEqual([`${content}/blobs/sha256/${hex}`]);
  });
});

describe("what should be there and is not is told:", () => {
  test("everything of a container that is recorded as running", async () => {
    using planted = plantInstance();
    const { paths, instance } = planted;
    const netnsPath = `${paths.networkNamespaces}/${id.slice(0, 12)}-123456`;
    const endpoint = {
      endpointId: other,
      networkId: other,
      ipv4: "192.0.2.2",
      mac: "",
      hostLink: `${instance.linkPrefix}v1`,
      interfaceName: "eth0",
      dnsNames: [],
      gatewayPriority: 0,
    };
    const ports = [{ protocol: "tcp", containerPort: 80, hostIp: "0.0.0.0", hostPort: 8080 }] as const;
    planted.put(
      "container",
      id,
      containerRecord(id, { state: runningState, sandbox: { containerId: id, netnsPath, endpoints: [endpoint], ports } }),
    );
    planted.put("network", other, networkRecord(other, `${instance.linkPrefix}b1`));
    const { bundle, rootfs, folder } = paths.container(id);
    const differences = await planted.audit();
    expect(differences.map(({ kind, subject }) => `${kind} ${subject}`).sort()).toEqual(
      [
        `mount ${rootfs}`,
        `netns ${netnsPath}`,
        `cgroup /${instance.cgroupParent}/${id}`,
        "process 1",
        "process 2",
        `file ${folder}`,
        `file ${bundle}`,
        `file ${paths.runtimeState}/*/${id}`,
        `link ${instance.linkPrefix}b1`,
        `link ${instance.linkPrefix}v1`,
        `firewall table inet ${instance.nftTable}`,
      ].sort(),
    );
  });

  test("an address of a bridge, and an element that leads elsewhere", async () => {
    using planted = plantInstance();
    const { instance } = planted;
    planted.put("network", other, networkRecord(other, `${instance.linkPrefix}b1`));
    planted.bridge(`${instance.linkPrefix}b1`);
    expect(await planted.audit()).toContainEqual({
      kind: "link",
      subject: `${instance.linkPrefix}b1`,
      message: "lacks address 192.0.2.1/24 of network planted",
    });
  });

  test("layers, blobs and volumes", async () => {
    using planted = plantInstance();
    const { layers, content } = planted.paths;
    const [diffId, config, manifest] = [digestOf("layer"), digestOf("config"), digestOf("manifest")];
    planted.put("image", config, { id: config, manifestDigest: manifest, layers: [{ diffId, chainId: diffId, digest: diffId }] });
    planted.put("volume", "gone", { name: "gone", driver: "local" });
    const differences = await planted.audit();
    expect(subjects(differences, "layer")).toEqual([`${layers}/chains/${hexOf(diffId)}`, `${layers}/tars/${hexOf(diffId)}`]);
    expect(subjects(differences, "blob")).toEqual([config, manifest].map((digest) => `${content}/blobs/sha256/${hexOf(digest)}`));
    expect(subjects(differences, "volume")).toEqual(["gone"]);
  });

  test("what records name: an image, a volume, a unique name; and a row that is no JSON", async () => {
    using planted = plantInstance();
    planted.put("image_reference", "docker.io/library/a:1", {
      reference: "docker.io/library/a:1",
      imageId: digestOf("x"),
      targetDigest: digestOf("y"),
    });
    const mounts = [
      {
        type: "volume",
        name: "v",
        source: "",
        destination: "/v",
        mode: "",
        writable: true,
        propagation: "",
        anonymous: false,
        noCopy: false,
      },
    ] as const;
    planted.put("container", id, containerRecord(id, { name: "same", mounts }));
    planted.put("container", other, containerRecord(other, { name: "same" }));
    planted.put("network", "n", "{");
    expect(subjects(await planted.audit(), "record").sort()).toEqual(
      ["network n", "image_reference docker.io/library/a:1", `container ${id}`, "name same"].sort(),
    );
  });
});

test("digests are compared only when asked: a changed blob, a changed archive", async () => {
  using planted = plantInstance();
  const { layers, content } = planted.paths;
  const [diffId, config, manifest] = [digestOf("layer"), digestOf("config"), digestOf("manifest")];
  planted.put("image", config, { id: config, manifestDigest: manifest, layers: [{ diffId, chainId: diffId, digest: diffId }] });
  planted.file(`${content}/blobs/sha256/${hexOf(config)}`, "config");
  planted.file(`${content}/blobs/sha256/${hexOf(manifest)}`, "another manifest");
  planted.file(`${layers}/chains/${hexOf(diffId)}/layer.json`, JSON.stringify({ diffId, sizeBytes: 5, indexDigest: digestOf("index") }));
  planted.file(`${layers}/chains/${hexOf(diffId)}/index`, "index");
  planted.file(`${layers}/tars/${hexOf(diffId)}`, "later\0\0\0");
  expect(await planted.audit()).toEqual([]);
  expect((await planted.audit(true)).map(({ kind, subject }) => [kind, subject])).toEqual([
    ["blob", `${content}/blobs/sha256/${hexOf(manifest)}`],
    ["layer", `${layers}/tars/${hexOf(diffId)}`],
  ]);
});

test("what goes away while the auditor looks is not told", async () => {
  using planted = plantInstance();
  planted.folder(`${planted.paths.containers}/${id}`);
  const audit = auditInstance({ ...planted.instance, patienceMilliseconds: 1000 });
  setTimeout(() => rmSync(`${planted.paths.containers}/${id}`, { recursive: true }), 20);
  expect(await audit).toEqual([]);
});

test("what belongs to a container counts only while its record stays as it is", async () => {
  using planted = plantInstance();
  let starts = 0;
  const rewrite = (): void => planted.put("container", id, containerRecord(id, { restartCount: ++starts }));
  rewrite();
  planted.tmpfs(planted.paths.container(id).rootfs);
  const timer = setInterval(rewrite, 3);
  try {
    expect(await auditInstance({ ...planted.instance, patienceMilliseconds: 600 })).toEqual([]);
  } finally {
    clearInterval(timer);
  }
});

describe("the exit code", () => {
  const rootsOf = ({ dataRoot, execRoot }: { readonly dataRoot: string; readonly execRoot: string }): string[] => [
    "--data-root",
    dataRoot,
    "--exec-root",
    execRoot,
  ];

  test("is 0 without and 1 with differences", async () => {
    using planted = plantInstance();
    expect(await runAudit(rootsOf(planted.instance))).toBe(0);
    planted.folder(`${planted.paths.volumes}/lost`);
    expect(await runAudit([...rootsOf(planted.instance), "--format=json"])).toBe(1);
  });

  test("is 2 when there is nothing to look at, the database is damaged, or an option is wrong", async () => {
    using planted = plantInstance();
    expect(await runAudit(["--data-root", "/nonexistent"])).toBe(2);
    expect(await runAudit([...rootsOf(planted.instance), "--format=xml"])).toBe(2);
    rmSync(`${planted.paths.database}-wal`, { force: true });
    planted.file(planted.paths.database, "no database at all ".repeat(100));
    chmodSync(planted.paths.database, 0o600);
    expect(await runAudit(rootsOf(planted.instance))).toBe(2);
  });
});
