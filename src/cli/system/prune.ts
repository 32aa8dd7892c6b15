import type { Filters } from "#client/containers.ts";
import { isKind } from "#lib/errors.ts";
import { command, type Invocation, noArguments } from "../command.ts";
import { confirm } from "../confirm.ts";
import { ExitError } from "../errors.ts";
import { bool, filters } from "../flag-kinds.ts";
import { deletionLines } from "../image/prune.ts";
import { pruneFilters } from "../prune-filters.ts";
import { checkDryRun, dryRunFlags, printPrunePlan } from "../prune-plan.ts";
import { humanSize } from "../units.ts";

const pruneFlags = {
  all: bool("a", "Remove images that have a name, too"),
  filter: filters(undefined, "Take only what matches, such as label=KEY=VALUE"),
  force: bool("f", "Do not ask first"),
  volumes: bool(undefined, "Remove unnamed volumes, too"),
  ...dryRunFlags,
} as const;

export const prune = command({
  usage: "[OPTIONS]",
  args: noArguments,
  flags: pruneFlags,
  examples: ["system prune --all --volumes", "system prune --dry-run --all"],
  run: async (invocation) => {
    const { flags } = invocation;
    if (flags.volumes && flags.filter["until"]) throw new ExitError(1, 'ERROR: The "until" filter is not supported with "--volumes"');
    checkDryRun(flags);
    const filter = await pruneFilters(invocation.config, flags.filter);
    if (flags.dryRun) {
      const of = ["container", "network", ...(flags.volumes ? (["volume"] as const) : []), "image"] as const;
      return printPrunePlan(invocation, { of, filters: { ...filter, dangling: [String(!flags.all)] } });
    }
    if (!flags.force) await confirm(invocation, question(flags, filter));
    const reclaimed = await pruneAll(invocation, filter);
    await invocation.out.line(`Total reclaimed space: ${humanSize(reclaimed)}`);
  },
});

type Flags = Invocation<typeof pruneFlags>["flags"];

function question({ all, volumes }: Flags, filter: Filters): string {
  const what = [
    "all stopped containers",
    "all networks not used by at least one container",
    ...(volumes ? ["all anonymous volumes not used by at least one container"] : []),
    all ? "all images without at least one container associated to them" : "all dangling images",
    all ? "all build cache" : "unused build cache",
  ];
  const filters = Object.entries(filter).flatMap(([key, values]) => values.map((value) => `${key}=${value}`));
  const limited =
    filters.length > 0 ? `\n\n  Items to be pruned will be filtered with:\n${filters.map((one) => `  - ${one}`).join("\n")}` : "";
  return `WARNING! This will remove:\n${what.map((one) => `  - ${one}`).join("\n")}${limited}\n\nAre you sure you want to continue?`;
}

/** What holds the rest goes first: containers, then networks, volumes, images, caches. @returns bytes */
async function pruneAll({ flags, client, out }: Invocation<typeof pruneFlags>, filter: Filters): Promise<number> {
  const section = async (title: string, lines: string): Promise<void> => {
    if (lines !== "") await out.write(`${title}:\n${lines}\n`);
  };
  const named = (names: readonly string[] | null | undefined): string => (names ?? []).map((name) => `${name}\n`).join("");
  const containers = await client.containers.prune(filter);
  await section("Deleted Containers", named(containers.ContainersDeleted));
  const networks = await client.networks.prune(filter);
  await section("Deleted Networks", named(networks.NetworksDeleted));
  const volumes = flags.volumes ? await client.volumes.prune(withoutUntil(filter)) : {};
  await section("Deleted Volumes", named(volumes.VolumesDeleted));
  const images = await client.images.prune({ ...filter, dangling: [String(!flags.all)] });
  await section("Deleted Images", deletionLines(images.ImagesDeleted ?? []));
  const caches = await buildCaches(client, flags.all, filter);
  await section("Deleted build cache objects", named(caches.CachesDeleted));
  return [containers, volumes, images, caches].reduce((total, report) => total + (report.SpaceReclaimed ?? 0), 0);
}

/** A daemon without a builder has no caches to prune. */
async function buildCaches(client: Invocation["client"], all: boolean, filters: Filters) {
  try {
    return await client.system.pruneBuildCache({ all, filters });
  } catch (error) {
    if (isKind(error, "not_implemented", "not_found")) return {};
    throw error;
  }
}

/** Volumes have no filter by time. */
const withoutUntil = (filter: Filters): Filters => Object.fromEntries(Object.entries(filter).filter(([key]) => key !== "until"));
