/** What mount(2) is given for the options of a volume. */
export interface ParsedMountOptions {
  readonly flags: number;
  /** `MS_SHARED` and its like, or 0. */
  readonly propagation: number;
  /** What is for the file system itself. */
  readonly options: string;
}

const MS_REC = 0x4000;
const MS_BIND = 0x1000;
const MS_UNBINDABLE = 1 << 17;
const MS_PRIVATE = 1 << 18;
const MS_SLAVE = 1 << 19;
const MS_SHARED = 1 << 20;

/** Source: mount(2), mount(8). A negative number takes the flag away. */
const flagsByWord: Readonly<Record<string, number>> = {
  defaults: 0,
  ro: 1,
  rw: -1,
  nosuid: 2,
  suid: -2,
  nodev: 4,
  dev: -4,
  noexec: 8,
  exec: -8,
  sync: 16,
  async: -16,
  remount: 32,
  mand: 64,
  nomand: -64,
  dirsync: 128,
  noatime: 1024,
  atime: -1024,
  nodiratime: 2048,
  diratime: -2048,
  bind: MS_BIND,
  rbind: MS_BIND | MS_REC,
  relatime: 1 << 21,
  norelatime: -(1 << 21),
  strictatime: 1 << 24,
  nostrictatime: -(1 << 24),
};

const propagationsByWord: Readonly<Record<string, number>> = {
  private: MS_PRIVATE,
  rprivate: MS_PRIVATE | MS_REC,
  shared: MS_SHARED,
  rshared: MS_SHARED | MS_REC,
  slave: MS_SLAVE,
  rslave: MS_SLAVE | MS_REC,
  unbindable: MS_UNBINDABLE,
  runbindable: MS_UNBINDABLE | MS_REC,
};

/** Takes the words that are flags of mount(2) out of an option text as mount(8) has it. */
export function parseMountOptions(text: string): ParsedMountOptions {
  let flags = 0;
  let propagation = 0;
  const rest: string[] = [];
  for (const word of text === "" ? [] : text.split(",")) {
    const flag = Object.hasOwn(flagsByWord, word) ? flagsByWord[word] : undefined;
    const kind = Object.hasOwn(propagationsByWord, word) ? propagationsByWord[word] : undefined;
    if (flag !== undefined) flags = flag < 0 ? flags & ~-flag : flags | flag;
    else if (kind !== undefined) propagation |= kind;
    else rest.push(word);
  }
  return { flags, propagation, options: rest.join(",") };
}
