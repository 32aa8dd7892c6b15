import type { ImageRunConfig } from "#types/oci/image.ts";

/** What an image says about the containers made from it, as inspect shows it. */
export function containerConfig(config: ImageRunConfig): Readonly<Record<string, unknown>> {
  return {
    Cmd: config.Cmd ?? null,
    Entrypoint: config.Entrypoint ?? null,
    Env: config.Env ?? null,
    Labels: config.Labels ?? null,
    OnBuild: config.OnBuild ?? null,
    User: config.User ?? "",
    Volumes: config.Volumes ?? null,
    WorkingDir: config.WorkingDir ?? "",
    ...(config.ExposedPorts && { ExposedPorts: config.ExposedPorts }),
    ...(config.StopSignal && { StopSignal: config.StopSignal }),
    ...(config.Healthcheck && { Healthcheck: config.Healthcheck }),
    ...(config.Shell && { Shell: config.Shell }),
  };
}

/** With the fields of containers that mean nothing in an image; they went with API version 1.50. */
export function legacyConfig(config: ImageRunConfig): Readonly<Record<string, unknown>> {
  return {
    Hostname: "",
    Domainname: "",
    AttachStdin: false,
    AttachStdout: false,
    AttachStderr: false,
    Tty: false,
    OpenStdin: false,
    StdinOnce: false,
    Image: "",
    ...containerConfig(config),
  };
}
