import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const unitFile = "/etc/systemd/system/gantry.service";

/** True where systemd is the first process. Source: sd_booted(3). */
export const isSystemd = (): boolean => existsSync("/run/systemd/system");

/** The unit with the executable that was built here. */
export function unitFor(executable: string): string {
  const template = readFileSync(join(import.meta.dir, "../../packaging/gantry.service"), "utf8");
  return template.replace("/usr/local/bin/gantry", executable);
}

/** Complaints of systemd-analyze about a unit; undefined when there are none, or nobody to ask. */
export async function complaintsAbout(unit: string): Promise<string | undefined> {
  if (!Bun.which("systemd-analyze")) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "gantry-unit-"));
  try {
    writeFileSync(join(folder, "gantry.service"), unit);
    const child = Bun.spawn(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", join(folder, "gantry.service")], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const [text, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    return code === 0 ? undefined : text.trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Installs the unit where it has changed, and starts or restarts the service. @throws when systemd refuses */
export async function startService(executable: string, mustRestart: boolean): Promise<void> {
  const unit = unitFor(executable);
  const isNew = !existsSync(unitFile) || readFileSync(unitFile, "utf8") !== unit;
  if (isNew) {
    const complaints = await complaintsAbout(unit);
    if (complaints !== undefined) throw new Error(`systemd-analyze refuses packaging/gantry.service: ${complaints}`);
    console.error(`installing ${unitFile}`);
    writeFileSync(unitFile, unit);
    await systemctl("daemon-reload");
  }
  await systemctl("enable", "--quiet", "gantry.service");
  await systemctl(isNew || mustRestart ? "restart" : "start", "gantry.service");
}

export const stopService = (): Promise<void> => systemctl("stop", "gantry.service");

async function systemctl(...args: readonly string[]): Promise<void> {
  const child = Bun.spawn(["systemctl", ...args], { stdio: ["ignore", 2, "pipe"] });
  const [text, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new Error(`systemctl ${args.join(" ")}: ${text.trim()}. See: journalctl -u gantry`);
}
