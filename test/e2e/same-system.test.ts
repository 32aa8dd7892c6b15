import { playAtBothDaemons, type Scene } from "./two-clients.ts";

const name = "gantry-same-s";
const label = "gantry.same=system";
const filter = `--filter label=${label}`;
const recent = "events --since 30s --until 0s";

const scenes: readonly Scene[] = [
  {
    name: "system df",
    looksAtAll: true,
    before: [`create --label ${label} --name ${name} -v ${name}:/v busybox`, `run --name ${name}2 busybox sh -c 'echo 12345 > /file'`],
    lines: [
      `system df`,
      `system df --format json`,
      `system df --format '{{json .}}'`,
      `system df --format 'table {{.Type}}\\t{{.Size}}'`,
      `system df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}'`,
      `system df --format raw`,
      `system df -v`,
      `system df -v --format json`,
      `system df -v --format '{{json .}}'`,
      `system df -v --format '{{range .Containers}}{{.Names}} {{.Size}};{{end}}{{range .Volumes}}{{.Name}} {{.Links}};{{end}}{{range .Images}}{{.Repository}};{{end}}{{len .BuildCache}}'`,
      `system df -v --format table`,
      `system df extra`,
    ],
    after: [`rm -f ${name} ${name}2`, `volume rm -f ${name}`],
  },
  {
    name: "system prune asks before it takes anything",
    onlyOurs: "a wrong answer takes what belongs to others",
    lines: [
      { line: `system prune`, stdin: "n\n" },
      { line: `system prune -a`, stdin: "n\n" },
      { line: `system prune --volumes`, stdin: "n\n" },
      { line: `system prune -a --volumes ${filter} --filter until=1h`, stdin: "n\n" },
      { line: `system prune ${filter}`, stdin: "n\n" },
      `system prune extra`,
    ],
  },
  {
    name: "system prune",
    before: [
      `builder prune -af`, // each client would take what is left for the other
      `create --label ${label} --name ${name} busybox`,
      `network create --label ${label} ${name}`,
      `volume create --label ${label} ${name}`,
    ],
    lines: [
      `system prune -f ${filter}`,
      { line: `system prune --volumes ${filter}`, stdin: "y\n" },
      `system prune -f --filter nosuch=1`,
      `volume ls -q ${filter}`,
    ],
    after: [`rm -f ${name}`, `network rm -f ${name}`, `volume rm -f ${name}`],
  },
  {
    name: "events: text, formats, filters",
    before: [
      `create --label PLAY --label b=2 --name PLAY busybox sh -c 'exit 3'`,
      `start -a PLAY`,
      `rename PLAY PLAY2`,
      `volume create --label PLAY PLAY`,
      `volume rm PLAY`,
      `network create --label PLAY PLAY`,
      `network rm PLAY`,
      `rm PLAY2`,
      `run --rm busybox sleep 1.1`, // times are in whole seconds
    ],
    lines: [
      `${recent} --filter container=PLAY2`,
      `${recent} --filter label=PLAY --filter event=create --filter event=destroy`,
      `${recent} --filter label=PLAY --format json`,
      `${recent} --filter label=PLAY --format '{{json .}}'`,
      `${recent} --filter label=PLAY --format '{{.Type}} {{.Action}} {{.Status}} {{.From}} {{.Scope}} {{.Actor.Attributes.name}} {{.Actor.Attributes.nosuch}} {{index .Actor.Attributes "exitCode"}}'`,
      `${recent} --filter label=PLAY --format '{{.Actor}}'`,
      `${recent} --filter label=PLAY --format '{{json .Actor}} {{.ID}} {{.Time}} {{.TimeNano}}'`,
      `${recent} --filter network=PLAY`,
      `${recent} --filter volume=PLAY`,
      `${recent} --filter label=PLAY --filter type=nosuch`,
      `${recent} --filter label=PLAY --filter nosuch=1`,
      `${recent} --filter broken`,
      `${recent} --filter label=PLAY --format '{{.Nosuch}}'`,
      `${recent} --filter label=PLAY --format '{{.Broken'`,
      `${recent} --filter label=PLAY --format 'table {{.Type}}'`,
      `events --since nosuch`,
      `events --until nosuch`,
      `events --until 2000-01-01`,
      `events extra`,
      `system events --since 1s --until 0s --filter label=nosuch`,
    ],
    after: [`rm -f PLAY PLAY2`],
  },
  {
    name: "version and info",
    looksAtAll: true,
    lines: [
      `version --format '{{json .Server}}'`,
      `version --format '{{.Server.Version}} {{.Server.APIVersion}} {{.Server.MinAPIVersion}} {{.Server.Os}}/{{.Server.Arch}} {{.Server.KernelVersion}} {{.Server.Experimental}} {{.Server.GitCommit}}'`,
      `version --format '{{range .Server.Components}}{{.Name}} {{.Version}} {{json .Details}};{{end}}{{.Server.Platform.Name}}'`,
      `version --format '{{.Client.Os}}/{{.Client.Arch}} {{.Client.Context}}'`,
      `version --format '{{.Nosuch}}'`,
      `version --format '{{.Server.Nosuch}}'`,
      `version --format '{{.Broken'`,
      `version extra`,
      `info --format '{{.Driver}} {{.DockerRootDir}} {{.NCPU}} {{.MemTotal}} {{.OSType}} {{.Architecture}} {{.ServerVersion}} {{.Name}} {{.ID}} {{.CgroupDriver}} {{.CgroupVersion}}'`,
      `info --format '{{json .Plugins}} {{json .SecurityOptions}} {{json .Runtimes}} {{json .Warnings}}'`,
      `info --format '{{json .DriverStatus}} {{json .RegistryConfig}} {{json .Swarm}}'`,
      `info --format '{{.Plugins.Volume}} {{.Swarm.LocalNodeState}} {{.LiveRestoreEnabled}} {{range .DriverStatus}}{{index . 0}};{{end}} {{.DefaultRuntime}}'`,
      `info --format '{{.ClientInfo.Context}} {{.ClientInfo.Debug}}'`,
      `info --format '{{.Nosuch}}'`,
      `info --format '{{.Broken'`,
      `info extra`,
      `system info --format {{.ServerVersion}}`,
    ],
  },
];

playAtBothDaemons(scenes);
