import { describe, expect, test } from "bun:test";
import type { HostConfig } from "#types/engine-api/index.ts";
import { parseMounts } from "./parse.ts";

const parse = (host: HostConfig, volumes: string[] = []) =>
  parseMounts({ Volumes: Object.fromEntries(volumes.map((path) => [path, {}])) }, host, true, () => {
    throw new Error("no such container");
  });

describe("a bind by -v", () => {
  test("has its access and its propagation", () => {
    expect(parse({ Binds: ["/host/dir/:/in:ro,rslave"] })).toMatchObject([
      { type: "bind", source: "/host/dir", destination: "/in", writable: false, propagation: "rslave" },
    ]);
  });

  test("without a slash in front is a volume", () => {
    expect(parse({ Binds: ["data:/in:nocopy"] })).toMatchObject([
      { type: "volume", name: "data", writable: true, noCopy: true, anonymous: false },
    ]);
  });

  test.each(["/a", "/a:/", "/a:relative", "/a:/b:rx", "/a:/b:ro,rw", "/a:/b:nocopy", "a:/b:rslave", "a:b:c:d", ":/x"])(
    "%s is refused",
    (text) => {
      expect(() => parse({ Binds: [text] })).toThrow(/invalid/);
    },
  );
});

test("what the image declares becomes an anonymous volume, unless something else is mounted there", () => {
  const mounts = parse({ Tmpfs: { "/cache": "" } }, ["/cache", "/data"]);
  expect(mounts).toMatchObject([
    { type: "tmpfs", destination: "/cache" },
    { type: "volume", destination: "/data", anonymous: true },
  ]);
});

test("two mounts at one place are refused", () => {
  expect(() => parse({ Binds: ["/a:/x", "/b:/x/"] })).toThrow("Duplicate mount point: /x");
});

test("a tmpfs has nosuid, nodev and noexec unless it says otherwise", () => {
  expect(parse({ Tmpfs: { "/t": "size=1m,exec" } })[0]?.tmpfsOptions).toEqual(["nosuid", "nodev", "size=1m"]);
  expect(() => parse({ Tmpfs: { "/t": "size=1m,evil=/x" } })).toThrow("invalid tmpfs option");
});

test.each([
  [{ Type: "bind", Source: "/a", Target: "rel" }, "mount path must be absolute"],
  [{ Type: "bind", Source: "/a", Target: "/" }, "destination can't be '/'"],
  [{ Type: "bind", Source: "", Target: "/b" }, "field Source must not be empty"],
  [{ Type: "tmpfs", Source: "x", Target: "/b" }, "field Source must not be specified"],
  [{ Type: "nonsense", Target: "/b" }, "mount type unknown"],
  [{ Type: "bind", Source: "/a", Target: "/b", VolumeOptions: {} }, 'VolumeOptions must not be specified on mount type "bind"'],
  [{ Type: "volume", Target: "/b", TmpfsOptions: {} }, 'TmpfsOptions must not be specified on mount type "volume"'],
  [{ Type: "tmpfs", Target: "/b", ImageOptions: {} }, "field ImageOptions must not be specified"],
  [{ Type: "image", Source: "", Target: "/b" }, "field Source must not be empty"],
  [{ Type: "image", Source: "i", Target: "/b", ImageOptions: { Subpath: "a/../.." } }, "subpath must be a relative path"],
  [{ Type: "volume", Source: "v", Target: "/b", VolumeOptions: { Subpath: "/a" } }, "subpath must be a relative path"],
  [{ Type: "volume", Target: "/b", VolumeOptions: { Subpath: "a" } }, "must not set Subpath when using anonymous volumes"],
  [{ Type: "tmpfs", Target: "/b", TmpfsOptions: { Options: [["suid"]] } }, "invalid option: suid"],
  [{ Type: "tmpfs", Target: "/b", TmpfsOptions: { Options: [["a", "b", "c"]] } }, "invalid option array length"],
  [{ Type: "bind", Source: "/a", Target: "/b", BindOptions: { ReadOnlyNonRecursive: true } }, "mount options conflict"],
])("--mount %p is refused", (mount, message) => {
  expect(() => parse({ Mounts: [mount] })).toThrow(message);
});
