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
}

const malformed = "requirement E1: what the caller got wrong is answered 4xx";
const refused = "requirement E4: refused, where dockerd accepts it";
const runtime = "architecture, The shape: conmon and crun";
const layers = "architecture, Images: layers are not unpacked";
const version = "architecture, API: the newest version is not that of dockerd 28.5";
const product = "architecture, The shape: another program in another language";
const gap = "known gaps";

/** Every entry must be needed: recorded.test.ts fails on one that matches nothing. */
export const wantedDifferences: readonly WantedDifference[] = [
  { place: /→ status$/, recorded: 500, seen: 400, because: malformed },
  { play: "API versions out of range", place: /→ type$/, seen: "application/json", because: malformed },
  { play: "API versions out of range", place: /→ body$/, recorded: /too old/, seen: /^message: .*too old/, because: malformed },
  { play: "API versions out of range", place: /→ body$/, recorded: /too new/, seen: /too new/, because: version },
  { place: /→ headers\.Api-Version$/, because: version },
  { place: /→ headers\.Builder-Version$/, seen: "1", because: `${gap}, Images: the builder` },
  { place: /version → body\.(BuildTime|GoVersion|Platform\.Name)$/, because: product },
  { place: /version → body\.Components\.0\.Details\.(BuildTime\?|GitCommit|GoVersion\?)$/, because: product },
  { place: /info → body\.Driver$/, seen: "= erofs", because: layers },
  { place: /\/json(\?size=1)? → body\.Driver$/, seen: "= erofs", because: layers },
  { place: /→ body\.GraphDriver\.Data\.\w+$/, seen: undefined, because: layers },
  { place: /info → body\.Runtimes\.(crun|io\.containerd\.runc\.v2)$/, because: runtime },
  { place: /→ body\.HostConfig\.Runtime$/, recorded: "= runc", seen: "= crun", because: runtime },
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
  { play: /: a host address that is none$/, because: "requirement E3: a typo must not open a port to the world" },
  { play: /: a malformed port$/, because: refused },
  { play: /: a port out of range$/, because: refused },
  { play: /: an unknown protocol$/, because: refused },
  { play: /: a hostname with slashes$/, because: refused },
  { play: /: a blkio weight out of range$/, because: refused },
  { play: /: privileged with a user namespace$/, seen: /400|501|not implemented/, because: `${gap}, Containers: user namespaces` },
  { play: /: a volume subpath /, seen: /501|not implemented/, because: `${gap}, Containers: volume-subpath` },
  { play: "logs of the driver local", because: `${gap}, Logs: drivers` },
  { play: "health of a container", because: `${gap}, Containers: health checks` },
  { play: "docker update, cp, diff, commit, export, stats", seen: /page not found/, because: `${gap}, Containers` },
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
