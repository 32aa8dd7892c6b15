// Written by scripts/generate-engine-api.ts; do not edit.

export interface ExecConfig {
  readonly AttachStdin?: boolean;
  readonly AttachStdout?: boolean;
  readonly AttachStderr?: boolean;
  readonly ConsoleSize?: readonly number[] | null;
  readonly DetachKeys?: string;
  readonly Tty?: boolean;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Privileged?: boolean;
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Detach?: boolean;
}

export interface ExecInspectResponse {
  readonly CanRemove?: boolean;
  readonly DetachKeys?: string;
  readonly ID?: string;
  readonly Running?: boolean;
  readonly ExitCode?: number | null;
  readonly ProcessConfig?: ProcessConfig | null;
  readonly OpenStdin?: boolean;
  readonly OpenStderr?: boolean;
  readonly OpenStdout?: boolean;
  readonly ContainerID?: string;
  readonly Pid?: number;
}

export interface ExecStartConfig {
  readonly Detach?: boolean;
  readonly Tty?: boolean;
  readonly ConsoleSize?: readonly number[] | null;
}

export interface IDResponse {
  readonly Id: string;
}

export interface ProcessConfig {
  readonly privileged?: boolean;
  readonly user?: string;
  readonly tty?: boolean;
  readonly entrypoint?: string;
  readonly arguments?: readonly string[] | null;
}
