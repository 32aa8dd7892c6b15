/** A family of suites that are made of signed packages in the same way. */
export interface Distribution {
  /** Of its images. */
  readonly name: string;
  readonly title: string;
  /** What the names of files with its keys have in common. */
  readonly keyPrefix: string;
  /** File with its keys, where its package of keys is installed. */
  readonly keyring: string;
  readonly suites: ReadonlySet<string>;
  /** As in the images that its people publish. */
  readonly command: readonly string[];
}

export const distributions: readonly Distribution[] = [
  {
    name: "debian",
    title: "Debian",
    keyPrefix: "debian-archive",
    keyring: "/usr/share/keyrings/debian-archive-keyring.gpg",
    suites: new Set(["bullseye", "bookworm", "trixie", "forky", "sid", "stable", "testing", "unstable", "oldstable"]),
    command: ["bash"],
  },
  {
    name: "ubuntu",
    title: "Ubuntu",
    keyPrefix: "ubuntu-archive",
    keyring: "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
    suites: new Set(["focal", "jammy", "noble", "plucky", "questing", "resolute", "devel"]),
    command: ["/bin/bash"],
  },
];
