import { bool, list, text } from "./flag-kinds.ts";

/** Flags before the command. */
export const globalFlags = {
  config: text(undefined, "Folder of the client's configuration", { defaultText: '"~/.docker"' }),
  context: text("c", "Context that says where the daemon is; goes before DOCKER_HOST and the current context"),
  debug: bool("D", "Accepted, without effect on this client"),
  host: list("H", "Address of the daemon: unix://PATH, tcp://HOST:PORT"),
  logLevel: text("l", "Accepted, without effect: debug, info, warn, error, fatal", { initially: "info" }),
  tls: bool(undefined, "Speak TLS with the daemon; --tlsverify does, too"),
  tlscacert: text(undefined, "File of the authority that the daemon's certificate must come from", { defaultText: '"~/.docker/ca.pem"' }),
  tlscert: text(undefined, "File of this client's certificate", { defaultText: '"~/.docker/cert.pem"' }),
  tlskey: text(undefined, "File of this client's key", { defaultText: '"~/.docker/key.pem"' }),
  tlsverify: bool(undefined, "Speak TLS, and check the daemon's certificate"),
  version: bool("v", "Print the version of the client"),
} as const;
