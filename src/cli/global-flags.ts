import { bool, list, text } from "./flag-kinds.ts";

/** Flags before the command. */
export const globalFlags = {
  config: text(undefined, "Location of client config files", { defaultText: '"~/.docker"' }),
  context: text(
    "c",
    'Name of the context to use to connect to the daemon (overrides DOCKER_HOST env var and default context set with "docker context use")',
  ),
  debug: bool("D", "Enable debug mode"),
  host: list("H", "Daemon socket to connect to"),
  logLevel: text("l", 'Set the logging level ("debug", "info", "warn", "error", "fatal")', { initially: "info" }),
  tls: bool(undefined, "Use TLS; implied by --tlsverify"),
  tlscacert: text(undefined, "Trust certs signed only by this CA", { defaultText: '"~/.docker/ca.pem"' }),
  tlscert: text(undefined, "Path to TLS certificate file", { defaultText: '"~/.docker/cert.pem"' }),
  tlskey: text(undefined, "Path to TLS key file", { defaultText: '"~/.docker/key.pem"' }),
  tlsverify: bool(undefined, "Use TLS and verify the remote"),
  version: bool("v", "Print version information and quit"),
} as const;
