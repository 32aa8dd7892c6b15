import { closeSync, constants, openSync } from "node:fs";
import { check, libc, SystemError } from "./libc.ts";
import { mountFileSystem } from "./mount.ts";

// Source: linux/loop.h, loop(4).
const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const LO_FLAGS_READ_ONLY = 1;
const LO_FLAGS_AUTOCLEAR = 4;
const LO_FLAGS_DIRECT_IO = 16;
/** struct loop_config: fd, block size, struct loop_info64, reserved. */
const configurationBytes = 304;
const maximumAttempts = 64;

export interface LoopDevice {
  /** Open: while it is, and while something has it mounted, it stays attached. */
  readonly device: number;
  readonly path: string;
}

interface Attachment {
  /** Descriptor of the file. */
  readonly backing: number;
  readonly blockBytes: number;
  readonly isReadOnly: boolean;
}

/** Mounts a file that holds a file system. Its loop device goes by itself when nothing has it mounted. Waits for the disk: for the kernel worker. */
export function mountFile(file: string, target: string, type: string, options: string): void {
  const backing = openSync(file, constants.O_RDWR);
  try {
    const { device, path } = attach({ backing, blockBytes: 4096, isReadOnly: false });
    try {
      mountFileSystem(path, target, type, 0, options);
    } finally {
      closeSync(device); // the mount holds it
    }
  } finally {
    closeSync(backing);
  }
}

/** A file as a device of blocks of 512 bytes, a multiple of which its size must be. */
export function attachReadOnly(file: string): LoopDevice {
  const backing = openSync(file, constants.O_RDONLY);
  try {
    return attach({ backing, blockBytes: 512, isReadOnly: true });
  } finally {
    closeSync(backing);
  }
}

/** Between the answer "is free" and its use another process may take the device. */
function attach(attachment: Attachment): LoopDevice {
  const control = openSync("/dev/loop-control", constants.O_RDWR);
  try {
    for (let attempt = 1; ; attempt++) {
      const path = `/dev/loop${check(libc.ioctl(control, LOOP_CTL_GET_FREE, null), "find a free loop device")}`;
      const device = openSync(path, attachment.isReadOnly ? constants.O_RDONLY : constants.O_RDWR);
      try {
        configure(device, attachment, path);
        return { device, path };
      } catch (error) {
        closeSync(device);
        if (attempt === maximumAttempts || !(error instanceof SystemError && error.code === "EBUSY")) throw error;
      }
    }
  } finally {
    closeSync(control);
  }
}

/** Direct I/O keeps what is read from being cached twice; where the file's disk cannot do it the kernel leaves it. */
function configure(device: number, { backing, blockBytes, isReadOnly }: Attachment, path: string): void {
  const configuration = Buffer.alloc(configurationBytes);
  configuration.writeUInt32LE(backing, 0);
  configuration.writeUInt32LE(blockBytes, 4);
  configuration.writeUInt32LE(LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO | (isReadOnly ? LO_FLAGS_READ_ONLY : 0), 60);
  check(libc.ioctl(device, LOOP_CONFIGURE, configuration), `attach a file to ${path}`);
}
