import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool } from "../flag-kinds.ts";
import { Registry } from "./ask-registry.ts";
import { listDocument } from "./list-document.ts";
import { normalName, registryOf, repositoryOf } from "./names.ts";
import { ManifestStore, type StoredManifest } from "./store.ts";

export const push = command({
  usage: "[OPTIONS] MANIFEST_LIST",
  args: exactly(1),
  flags: {
    insecure: bool(undefined, "Speak to a registry without verified TLS, or without TLS"),
    purge: bool("p", "Forget the list here once it is pushed"),
  },
  examples: ["manifest push -p registry.example/app:1"],
  run: async ({ args, flags, config, out }) => {
    const list = normalName(args[0] ?? "");
    const store = new ManifestStore((await config()).folder);
    const manifests = await store.list(list);
    if (!manifests) throw new ExitError(1, `No such manifest: ${list}`);
    if (manifests.length === 0) throw new ExitError(1, `${list} not found`);
    for (const { Ref } of manifests) checkRegistry(Ref, list);
    const repository = repositoryOf(list);
    const foreign = manifests.filter(({ Ref }) => repositoryOf(Ref) !== repository);
    const { mediaType, text } = listDocument(manifests);
    const digest = await new Registry(await config(), flags.insecure).push({
      target: list,
      manifests: foreign.map(toPush),
      list: { mediaType, bytes: Buffer.from(text).toString("base64") },
    });
    for (const { Descriptor } of foreign) await out.line(`Pushed ref ${repository}@${Descriptor.digest} with digest: ${Descriptor.digest}`);
    if (flags.purge) await store.remove(list);
    await out.line(digest);
  },
});

function checkRegistry(source: string, target: string): void {
  if (registryOf(source) === registryOf(target)) return;
  const hosts = `${registryOf(source)} != ${registryOf(target)}`;
  throw new ExitError(1, `cannot use source images from a different registry than the target image: ${hosts}`);
}

function toPush({ Ref, Descriptor, Raw }: StoredManifest) {
  const { config, layers } = JSON.parse(Buffer.from(Raw, "base64").toString()) as {
    readonly config: { readonly digest: string };
    readonly layers: readonly { readonly digest: string; readonly urls?: readonly string[] }[];
  };
  const blobs = [config, ...layers.filter(({ urls }) => !urls || urls.length === 0)].map(({ digest }) => digest);
  const from = repositoryOf(Ref).slice(registryOf(Ref).length + 1);
  return { digest: Descriptor.digest, mediaType: Descriptor.mediaType, bytes: Raw, from, blobs };
}
