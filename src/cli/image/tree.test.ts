import { expect, test } from "bun:test";
import { renderTree } from "./tree.ts";

const manifest = (digit: string, architecture: string, contentBytes: number, containers: string[] = []) => ({
  ID: `sha256:${digit.repeat(64)}`,
  Descriptor: {},
  Available: contentBytes > 0,
  Size: { Content: contentBytes, Total: contentBytes * 2 },
  Kind: "image" as const,
  ImageData: { Platform: { os: "linux", architecture }, Containers: containers, Size: { Unpacked: contentBytes } },
});
const images = [
  { Id: `sha256:${"a".repeat(64)}`, RepoTags: ["old:1", "old:latest"], Created: 1, Size: 3_000_000, Containers: 0 },
  {
    Id: `sha256:${"b".repeat(64)}`,
    RepoTags: ["registry.example/team/app:1"],
    Created: 2,
    Size: 2_000_000,
    Manifests: [manifest("1", "amd64", 1000, ["c"]), manifest("2", "arm64", 0), { ...manifest("3", "", 0), Kind: "attestation" as const }],
  },
  { Id: `sha256:${"c".repeat(64)}`, RepoTags: [], Created: 3, Size: 1 },
];

test("images are drawn newest first, with their platforms, what is in use, and no attestations (IMG-26)", () => {
  expect(renderTree(images, { all: false, isTerminal: false, widthColumns: 80 })).toMatchInlineSnapshot(`
    "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.
                                                                  Info ->  U In Use 

    IMAGE                         ID             DISK USAGE   CONTENT SIZE   EXTRA
    registry.example/team/app:1   bbbbbbbbbbbb          2MB            1kB   U    
    ├─ linux/amd64                111111111111          2kB            1kB   U    
    └─ linux/arm64                222222222222           0B             0B        

    old:1                      
    old:latest                    aaaaaaaaaaaa          3MB             0B        

    "
  `);
});

test("a narrow terminal loses columns from the right, and long names their end", () => {
  expect(renderTree(images, { all: true, isTerminal: false, widthColumns: 42 })).toMatchInlineSnapshot(`
    "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.
                            Info ->  U In Use 

    IMAGE            ID             DISK USAGE
    <untagged>       cccccccccccc           1B

    registry.exam…   bbbbbbbbbbbb          2MB
    ├─ linux/amd64   111111111111          2kB
    └─ linux/arm64   222222222222           0B

    old:1         
    old:latest       aaaaaaaaaaaa          3MB

    "
  `);
});
