import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { strings, text } from "../flag-kinds.ts";
import { parsedName } from "./names.ts";
import { ManifestStore, ordered } from "./store.ts";

/** What Go's compiler could make programs for when lists of manifests came up. Source: docker/cli, manifest command. */
const systems: Readonly<Record<string, string>> = {
  darwin: "386 amd64 arm arm64",
  dragonfly: "amd64",
  freebsd: "386 amd64 arm",
  linux: "386 amd64 arm arm64 mips64 mips64le ppc64le riscv64 s390x",
  netbsd: "386 amd64 arm",
  openbsd: "386 amd64 arm",
  plan9: "386 amd64",
  solaris: "amd64",
  windows: "386 amd64 arm arm64",
};

export const annotate = command({
  usage: "[OPTIONS] MANIFEST_LIST MANIFEST",
  args: exactly(2),
  flags: {
    arch: text(undefined, "Architecture of the image, such as arm64"),
    os: text(undefined, "Operating system of the image"),
    osFeatures: strings(undefined, "What the image wants of the operating system"),
    osVersion: text(undefined, "Version of the operating system"),
    variant: text(undefined, "Variant of the architecture, such as v7"),
  },
  examples: ["manifest annotate --arch arm --variant v7 registry.example/app:1 registry.example/app:1-armv7"],
  run: async ({ args, flags, config }) => {
    const [first = "", second = ""] = args;
    const list = parsedName(first, "annotate: error parsing name for manifest list");
    const name = parsedName(second, "annotate: error parsing name for manifest");
    const store = new ManifestStore((await config()).folder);
    const stored = await store.get(list, name);
    if (!stored) throw new ExitError(1, `manifest for image ${name} does not exist in ${list}`);
    const { platform } = stored.Descriptor;
    const changed = ordered({
      ...platform,
      ...(flags.arch && { architecture: flags.arch }),
      ...(flags.os && { os: flags.os }),
      ...(flags.osVersion && { "os.version": flags.osVersion }),
      ...(flags.variant && { variant: flags.variant }),
      "os.features": [...new Set([...(platform["os.features"] ?? []), ...flags.osFeatures])],
    });
    if (!(systems[changed.os] ?? "").split(" ").includes(changed.architecture))
      throw new ExitError(1, `manifest entry for image has unsupported os/arch combination: ${flags.os}/${flags.arch}`);
    await store.save(list, name, { ...stored, Descriptor: { ...stored.Descriptor, platform: changed } });
  },
});
