/** Package of Debian and Ubuntu for each program. */
const packages: Readonly<Record<string, string>> = {
  crun: "crun",
  runc: "runc",
  conmon: "conmon",
  nft: "nftables",
  busybox: "busybox-static",
  catatonit: "catatonit",
  mmdebstrap: "mmdebstrap",
  ip: "iproute2",
  "mkfs.ext4": "e2fsprogs",
  skopeo: "skopeo",
  "docker-registry": "docker-registry",
  rsyslogd: "rsyslog",
  journalctl: "systemd",
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-system-aarch64": "qemu-system-arm",
  depmod: "kmod",
};

/** Runs this script again under sudo when it is not root. */
export async function ensureRoot(): Promise<void> {
  if (process.getuid?.() === 0) return;
  if (!Bun.which("sudo")) {
    console.error("This needs root: run it as root, or install sudo.");
    process.exit(1);
  }
  const child = Bun.spawn(["sudo", "-E", process.execPath, ...process.argv.slice(1)], { stdio: ["inherit", "inherit", "inherit"] });
  process.exit(await child.exited);
}

/** Installs the programs that are missing, saying which before it does. */
export async function ensurePrograms(names: readonly string[]): Promise<void> {
  const missing = names.filter((name) => !Bun.which(name, { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` }));
  if (missing.length === 0) return;
  const wanted = missing.map((name) => packages[name] ?? name);
  if (!Bun.which("apt-get")) {
    console.error(
      `These programs are missing: ${missing.join(", ")}. Install them with the distribution's package manager and run this again.`,
    );
    process.exit(1);
  }
  console.error(`Installing from the distribution: ${wanted.join(" ")}`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await spawn(["apt-get", "update", "-qq"], environment);
  if ((await spawn(["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...wanted], environment)) === 0) return;
  console.error(`apt-get could not install ${wanted.join(" ")}: see its messages above.`);
  process.exit(1);
}

function spawn(command: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  return Bun.spawn(command, { stdin: "ignore", stdout: 2, stderr: 2, env: environment }).exited;
}
