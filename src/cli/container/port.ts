import { between, command } from "../command.ts";
import { ExitError } from "../errors.ts";

interface Binding {
  readonly HostIp?: string;
  readonly HostPort?: string;
}

export const port = command({
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  args: between(1, 2),
  completes: "running",
  flags: {},
  run: async ({ args, client, out }) => {
    const [name = "", wanted] = args;
    const ports = (await client.containers.inspect(name)).NetworkSettings?.Ports ?? {};
    if (wanted !== undefined) {
      const key = portKey(wanted);
      const bindings = ports[key];
      if (!bindings || bindings.length === 0) throw new ExitError(1, `Error: No public port '${wanted}' published for ${name}`);
      return out.write(bindings.map((binding) => `${hostAddress(binding)}\n`).join(""));
    }
    const lines = Object.entries(ports)
      .flatMap(([key, bindings]) => (bindings ?? []).map((binding) => ({ key, line: `${key} -> ${hostAddress(binding)}` })))
      .toSorted((one, other) => Number.parseInt(one.key) - Number.parseInt(other.key));
    await out.write(lines.map(({ line }) => `${line}\n`).join(""));
  },
});

function portKey(text: string): string {
  const [number = "", protocol = "tcp"] = text.split("/");
  const problem = !/^\d+$/.test(number) ? "invalid syntax" : Number(number) > 65535 ? "value out of range" : undefined;
  if (problem) throw new ExitError(1, `Error: invalid port (${number}): strconv.ParseUint: parsing ${JSON.stringify(number)}: ${problem}`);
  return `${number}/${protocol || "tcp"}`;
}

const hostAddress = ({ HostIp = "", HostPort = "" }: Binding): string => `${HostIp.includes(":") ? `[${HostIp}]` : HostIp}:${HostPort}`;
