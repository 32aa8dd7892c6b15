import { between, command } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool } from "../flag-kinds.ts";
import { Registry } from "./ask-registry.ts";
import { listDocument } from "./list-document.ts";
import { fetchKnown, manifestFor } from "./manifest-for.ts";
import { normalName } from "./names.ts";
import { ManifestStore, toStored, type StoredManifest } from "./store.ts";

export const inspect = command({
  usage: "[OPTIONS] [MANIFEST_LIST] MANIFEST",
  args: between(1, 2),
  flags: {
    insecure: bool(undefined, "Speak to a registry without verified TLS, or without TLS"),
    verbose: bool("v", "Print platforms and raw manifests too"),
  },
  examples: ["manifest inspect registry.example/app:1", "manifest inspect -v busybox"],
  run: async ({ args, flags, config, out }) => {
    const [first = "", second] = args.map(normalName);
    const store = new ManifestStore((await config()).folder);
    const registry = new Registry(await config(), flags.insecure);
    if (second !== undefined) {
      if (!(await store.list(first))) throw new ExitError(1, `No such manifest: ${second}`);
      return out.line(shownManifest(await manifestFor(second, { list: first, store, registry }), flags.verbose));
    }
    const local = await store.list(first);
    if (local) return out.line(shownList(local, flags.verbose));
    const fetched = await fetchKnown(registry, first);
    if (fetched.kind === "manifest") return out.line(shownManifest(toStored(first, fetched.document), flags.verbose));
    const manifests = fetched.documents.map((document) => toStored(`${first}@${document.digest}`, document));
    return out.line(shownList(manifests, flags.verbose));
  },
});

function shownManifest(manifest: StoredManifest, isVerbose: boolean): string {
  if (isVerbose) return indented(manifest);
  return indented(JSON.parse(Buffer.from(manifest.Raw, "base64").toString()) as object);
}

function shownList(manifests: readonly StoredManifest[], isVerbose: boolean): string {
  return isVerbose ? indented(manifests) : listDocument(manifests).text;
}

const indented = (value: object): string => JSON.stringify(value, undefined, "\t");
