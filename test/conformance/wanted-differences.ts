import type { Difference } from "./compare.ts";

/** A difference from Docker that is meant. All that is given must match: a pattern is searched for, everything else is the whole value. */
export interface WantedDifference {
  readonly play?: string | RegExp;
  /** `2. GET /v1.51/info → body.Driver` */
  readonly place?: RegExp;
  readonly recorded?: unknown;
  readonly seen?: unknown;
  /** The decision of docs/architecture.md or the entry of docs/known-gaps.md that wants it, or the id of a requirement. */
  readonly because: string;
  /** Not to be seen on every host: with another version of a program, or of the distribution. */
  readonly onSomeHosts?: true;
}

const malformed = "requirement E1: what the caller got wrong is answered 4xx";
const refused = "requirement E4: refused, where dockerd accepts it";
const early = "architecture, Life of a container: create validates everything that can be validated";
const runtime = "architecture, The shape: conmon and crun";
const layers = "architecture, Images: layers are not unpacked";
const version = "architecture, API: the newest version is not that of dockerd 28.5";
const product = "architecture, The shape: another program in another language";
const gap = "known gaps";
const platforms = "architecture, API: lists and inspections of images tell their manifests";
const checkpoints = "architecture, API: start finds checkpoints in a folder, and what is not there is 404";

/** Every entry must be needed: recorded.test.ts fails on one that matches nothing. */
export const wantedDifferences: readonly WantedDifference[] = [
  { place: /→ status$/, recorded: 500, seen: 400, because: malformed },
  { play: "saves that are refused", place: /get\?platform=.*→ status$/, recorded: 500, seen: 404, because: malformed },
  { play: "API versions out of range", place: /→ type$/, seen: "application/json", because: malformed },
  { play: "API versions out of range", place: /→ body$/, recorded: /too old/, seen: /^message: .*too old/, because: malformed },
  { play: "API versions out of range", place: /→ body$/, recorded: /too new/, seen: /too new/, because: version },
  { place: /→ headers\.Api-Version$/, because: version },
  { place: /→ headers\.Builder-Version$/, seen: "1", because: `${gap}, Images: the builder` },
  { place: /version → body\.(BuildTime|GoVersion|Platform\.Name)$/, because: product },
  { place: /version → body\.Components\.0\.Details\.(BuildTime\?|GitCommit|GoVersion\?)$/, because: product },
  { place: /info → body\.Driver$/, seen: "= erofs", because: layers },
  { place: /info → body\.Warnings$/, recorded: "null", because: "requirement D10: an old runtime is warned about", onSomeHosts: true },
  { place: /\/json(\?size=1)? → body\.Driver$/, seen: "= erofs", because: layers },
  { play: "a list with the manifests of images", place: /→ body\.(0\.)?Manifests$/, recorded: undefined, because: platforms },
  { place: /→ body\.GraphDriver\.Data\.\w+$/, seen: undefined, because: layers },
  { place: /info → body\.Runtimes\.(crun|io\.containerd\.runc\.v2)$/, because: runtime },
  { place: /→ body\.HostConfig\.Runtime$/, recorded: "= runc", seen: "= crun", because: runtime },
  // What an image takes on the disk: its tar, with heads and padding.
  { play: "docker image", place: /→ stdout$/, recorded: /1\.98MB/, seen: /2\.13MB/, because: layers },
  {
    place: /info → body\.(FirewallBackend\.)?Driver$/,
    recorded: "= iptables",
    seen: "= nftables",
    because: "architecture, Network: one nft table",
  },
  { place: /→ (body|body\.State\.Error|stderr)$/, recorded: /runc create failed/, seen: /crun create failed/, because: runtime },
  {
    play: "attach refuses: missing, paused, malformed keys",
    place: /→ (type|body)$/,
    seen: /^(message: |application\/json)/,
    because: "architecture, API: errors of an attach are JSON",
  },
  { place: /\/(checkpoints(\?dir=|\/)|start\?checkpoint=).* → status$/, recorded: 500, seen: 404, because: checkpoints },
  { place: /start\?checkpoint=one&checkpoint-dir=\/nonexistent → status$/, recorded: 403, seen: 404, because: checkpoints },
  {
    place: /start\?checkpoint=one&checkpoint-dir=\/nonexistent → body$/,
    recorded: /custom checkpointdir is not supported/,
    seen: /does not exist/,
    because: checkpoints,
  },
  { play: "search", place: /limit=-1 → /, because: malformed },
  {
    play: "what a name stands for in its registry",
    place: /images:oci\/json → body\.Platforms$/,
    recorded: "null",
    because: "architecture, API: the platform of an OCI manifest is told",
  },
  { play: /: a host address that is none$/, because: "requirement E3: a typo must not open a port to the world" },
  { play: /: a malformed port$/, because: refused },
  { play: /: a port out of range$/, because: refused },
  { play: /: an unknown protocol$/, because: refused },
  { play: /: a hostname with slashes$/, because: refused },
  { play: /: a blkio weight out of range$/, because: refused },
  { play: /: privileged with a user namespace$/, because: refused },
  { play: "other user namespaces", place: /create.* → (status|body)/, because: refused },
  { play: /: no image$/, because: malformed },
  { play: /: a malformed log size$/, because: early },
  { play: /: a malformed DNS server$/, because: early },
  { play: /: a ulimit whose soft is above its hard limit$/, because: early },
  { play: /: tmpfs with an unknown option$/, because: early },
  {
    play: "starts that fail leave their reason in the state",
    place: /containers\/create.* → (status|body)$/,
    recorded: /500|Cannot mkdir/,
    because: "architecture, Life of a container: files of the image are first looked at by start",
  },
  { place: /(\/unpause|\?link=1|\/exec\/.*\/resize\?.*) → status$/, recorded: 500, seen: 409, because: malformed },
  {
    play: "create, start, inspect",
    place: /\/exec\/.*\/start → (status|type|body)$/,
    seen: /^(409|application\/json|message: exec command <exec id> has already run)$/,
    because: "architecture, API: errors of an attach are JSON",
  },
  {
    place: /PUT .*\/archive\?.* → status$/,
    recorded: 400,
    seen: 403,
    because: "requirement A14: what is read-only refuses with the status that the API's text names",
  },
  { place: /info → body\.Containerd$/, seen: undefined, because: runtime },
  // The record is from a distribution without VERSION_ID.
  {
    place: /info → body\.OSVersion$/,
    recorded: "empty",
    seen: "string",
    because: "not the daemon's: what os-release of the host says",
    onSomeHosts: true,
  },
  { play: "tag", place: /tag\?(repo=&tag=x)? → (status|type|body)$/, seen: /400|json|invalid reference/, because: malformed },
  { play: "load refuses what is no archive", place: /→ (status|body)$/, seen: /400|message: invalid archive/, because: malformed },
  { play: "create refuses malformed names", place: /fromImage= → body$/, recorded: /no Host in request URL/, because: malformed },
  {
    play: "the predefined networks",
    place: /→ body\.Options\.com\.docker\.network\.bridge\.name$/,
    recorded: "= docker0",
    because: "architecture, Where state lives: names of links derive from the instance",
  },
  {
    play: "create refuses (bug 15)",
    place: /networks\/create → (status|body)$/,
    seen: /400|has a separator/,
    because: "requirement E5: separators are refused everywhere",
  },
  {
    play: "list with every filter",
    place: /networks\?.*dangling.*→ body$/,
    seen: /-[ab]"\]$/,
    because: "architecture, API: dangling networks are those nobody uses",
  },
  { play: "names that escape their place", place: /%00.* → (status|body)$/, seen: /400|NUL in path/, because: malformed },
  { play: "names that escape their place", place: /%ff.* → (status|body)$/, seen: /400|invalid URL escape/, because: malformed },
  { play: "names that escape their place", place: /%\/json → (type|body)$/, seen: /json|invalid URL escape/, because: malformed },
];

export function isWanted(difference: Difference): boolean {
  return wantedDifferences.some((wanted) => covers(wanted, difference));
}

export function covers(wanted: WantedDifference, difference: Difference): boolean {
  return (
    (wanted.play === undefined || matches(wanted.play, difference.play)) &&
    (wanted.place === undefined || wanted.place.test(difference.place)) &&
    (!("recorded" in wanted) || matches(wanted.recorded, difference.recorded)) &&
    (!("seen" in wanted) || matches(wanted.seen, difference.seen))
  );
}

function matches(wanted: unknown, value: unknown): boolean {
  if (wanted instanceof RegExp) return wanted.test(typeof value === "string" ? value : JSON.stringify(value ?? "(absent)"));
  return Bun.deepEquals(wanted, value);
}
