import { isAddress } from "./ports.ts";

/** `HOST:IP` or `HOST=IP`; the IP may be in brackets, or `host-gateway`. @throws {Error} with Docker's words */
export function extraHost(value: string): string {
  const at = value.search(/[:=]/);
  const separator = value.includes("=") ? value.indexOf("=") : at;
  const host = value.slice(0, separator);
  const given = value.slice(separator + 1);
  if (separator < 0 || host === "" || given === "") throw new Error(`bad format for add-host: ${JSON.stringify(value)}`);
  if (given === "host-gateway") return `${host}:${given}`;
  const address = given.replace(/^\[(.+)\]$/, "$1");
  if (!isAddress(address)) throw new Error(`invalid IP address in add-host: ${JSON.stringify(given)}`);
  return `${host}:${address}`;
}

export function ipAddress(value: string): string {
  const address = value.trim();
  if (!isAddress(address)) throw new Error(`IP address is not correctly formatted: ${value}`);
  return address;
}

export function dnsSearch(value: string): string {
  const domain = value.trim();
  if (domain === ".") return domain;
  if (
    !/[a-zA-Z]/.test(domain) ||
    !/^(:?[a-zA-Z0-9_]|[a-zA-Z0-9_][a-zA-Z0-9_-]*[a-zA-Z0-9_])(:?\.(:?[a-zA-Z0-9_]|[a-zA-Z0-9_][a-zA-Z0-9_-]*[a-zA-Z0-9_]))*\.?\s*$/.test(
      domain,
    )
  )
    throw new Error(`${domain} is not a valid domain`);
  return domain;
}

export function link(value: string): string {
  if (value === "") throw new Error("empty string specified for links");
  if (value.split(":").length > 2) throw new Error(`bad format for links: ${value}`);
  return value;
}

export function attachStream(value: string): string {
  const stream = value.toLowerCase();
  if (!["stdin", "stdout", "stderr"].includes(stream)) throw new Error("valid streams are STDIN, STDOUT and STDERR");
  return stream;
}
