import type { ContainerConfig } from "#types/engine-api/index.ts";

/** As Docker writes a container's config into an image: fields of the image's set that are not set are null. */
export function orderedConfig(config: ContainerConfig): ContainerConfig {
  const { ExposedPorts, Healthcheck, StopSignal, StopTimeout, Shell, Volumes, Labels } = config;
  return {
    Hostname: config.Hostname ?? "",
    Domainname: config.Domainname ?? "",
    User: config.User ?? "",
    AttachStdin: config.AttachStdin ?? false,
    AttachStdout: config.AttachStdout ?? false,
    AttachStderr: config.AttachStderr ?? false,
    ...(hasKeys(ExposedPorts) && { ExposedPorts }),
    Tty: config.Tty ?? false,
    OpenStdin: config.OpenStdin ?? false,
    StdinOnce: config.StdinOnce ?? false,
    Env: config.Env ?? null,
    Cmd: config.Cmd ?? null,
    ...(Healthcheck && { Healthcheck }),
    Image: config.Image ?? "",
    Volumes: hasKeys(Volumes) ? Volumes : null,
    WorkingDir: config.WorkingDir ?? "",
    Entrypoint: config.Entrypoint ?? null,
    OnBuild: config.OnBuild ?? null,
    Labels: hasKeys(Labels) ? Labels : null,
    ...(StopSignal && { StopSignal }),
    ...(typeof StopTimeout === "number" && { StopTimeout }),
    ...(Shell && Shell.length > 0 && { Shell }),
  };
}

function hasKeys<T extends object>(map: T | null | undefined): map is T {
  return map !== null && map !== undefined && Object.keys(map).length > 0;
}
