import {
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
  decode,
  encode,
  type Answer,
  type DecodedPacket,
  type Question,
} from "dns-packet";
import { addressText } from "#os/netlink/ip-address.ts";
import type { NameLookup } from "./name-table.ts";

/** Docker's time to live of names of containers. */
const timeToLiveSeconds = 600;
const classicUdpLimit = 512;
const SERVFAIL = 2;

/** What becomes of a query: an answer of our own, a question for the upstream servers, or nothing (not even a query). */
export type Resolution = { readonly type: "answer"; readonly message: Buffer } | { readonly type: "forward" } | { readonly type: "ignore" };

/** Answers for names of containers. Names that nobody here has are for the upstream servers. Pure but for the order of several addresses. */
export function resolve(query: Buffer, names: NameLookup, transport: "udp" | "tcp"): Resolution {
  const packet = decodeQuery(query);
  const question = packet?.questions?.[0];
  if (!packet || !question || packet.questions?.length !== 1) return { type: "ignore" };
  const answers = answersTo(question, names);
  if (!answers) return { type: "forward" };
  return { type: "answer", message: encodeAnswer(packet, answers, transport === "udp" ? udpLimit(packet) : 65535) };
}

/** The query as its own refusal: nobody could be asked. */
export function serverFailure(query: Buffer): Buffer {
  const answer = Buffer.from(query);
  answer.writeUInt16BE(0x8000 | (answer.readUInt16BE(2) & 0x7900) | RECURSION_AVAILABLE | SERVFAIL, 2);
  return answer;
}

/** True when `answer` belongs to `query`: same id, same question. Anything else on the wire is not for us. */
export function isAnswerTo(query: Buffer, answer: Buffer): boolean {
  if (answer.length < 12 || answer.readUInt16BE(0) !== query.readUInt16BE(0) || (answer.readUInt16BE(2) & 0x8000) === 0) return false;
  try {
    const [asked, answered] = [decode(query).questions?.[0], decode(answer).questions?.[0]];
    return asked?.type === answered?.type && asked?.name.toLowerCase() === answered?.name.toLowerCase();
  } catch {
    return false; // not a DNS message
  }
}

function decodeQuery(query: Buffer): DecodedPacket | undefined {
  try {
    const packet = decode(query);
    return packet.type === "query" ? packet : undefined;
  } catch {
    return undefined; // hostile or torn: nobody to answer to
  }
}

/** Undefined: not ours. Empty: the name is ours and has nothing of this type. */
function answersTo(question: Question, names: NameLookup): Answer[] | undefined {
  const { name, type } = question;
  if (type === "PTR") {
    const address = addressOfReverseName(name);
    const owner = address === undefined ? undefined : names.nameOf(address);
    return owner === undefined ? undefined : [{ name, type, ttl: timeToLiveSeconds, data: owner }];
  }
  const addresses = names.addresses(name, type === "AAAA" ? 6 : 4);
  if (!addresses) return undefined;
  if (type !== "A" && type !== "AAAA") return [];
  return shuffled(addresses).map((data) => ({ name, type, ttl: timeToLiveSeconds, data }));
}

/** `4.3.2.1.in-addr.arpa` and the 32 nibbles of ip6.arpa. Source: RFC 1035, 3.5; RFC 3596, 2.5. */
function addressOfReverseName(name: string): string | undefined {
  const ipv4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/i.exec(name);
  if (ipv4) return ipv4.slice(1).reverse().join(".");
  const nibbles = /^((?:[0-9a-f]\.){32})ip6\.arpa$/i.exec(name)?.[1];
  return nibbles === undefined ? undefined : addressText(Buffer.from(nibbles.replaceAll(".", "").split("").reverse().join(""), "hex"));
}

function encodeAnswer(query: DecodedPacket, answers: Answer[], limit: number): Buffer {
  const flags = ((query.flags ?? 0) & RECURSION_DESIRED) | RECURSION_AVAILABLE;
  const base = { type: "response" as const, ...(query.id !== undefined && { id: query.id }), questions: query.questions ?? [] };
  const whole = encode({ ...base, flags, answers });
  if (whole.length <= limit) return whole;
  // The client comes again over TCP.
  return encode({ ...base, flags: flags | TRUNCATED_RESPONSE, answers: [] });
}

function udpLimit(query: DecodedPacket): number {
  const option = query.additionals?.find((additional) => additional.type === "OPT");
  return Math.max(classicUdpLimit, Math.min(option?.type === "OPT" ? (option.udpPayloadSize ?? 0) : 0, 4096));
}

/** Several containers of one name share its load. */
function shuffled(addresses: readonly string[]): string[] {
  const result = [...addresses];
  for (let last = result.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    [result[last], result[other]] = [result[other] ?? "", result[last] ?? ""];
  }
  return result;
}
