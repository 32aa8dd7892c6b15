import { play, type PlayBook } from "../play.ts";

const create = "/containers/create";

/** Legacy links on the default bridge, and links on a network of the user. */
export const links: PlayBook = {
  noun: "links",
  plays: [
    play("variables, hosts and names", async (t) => {
      const ExposedPorts = { "8080/tcp": {}, "53/udp": {}, "53/tcp": {}, "7000/tcp": {}, "7001/tcp": {}, "7002/tcp": {} };
      const app = await t.running({ Hostname: "apphost", Env: ["A=b", "PATH=/bin"], ExposedPorts }, t.name("app"));
      const id = await t.running({ HostConfig: { Links: [`${t.name("app")}:app-1`] } }, t.name("web"));
      await t.docker("exec", id, "sh", "-c", "env | grep ^APP_1 | sort");
      await t.docker("exec", id, "sh", "-c", "grep apphost /etc/hosts | sort");
      await t.docker("exec", id, "sh", "-c", "ping -c 1 app-1 >/dev/null && echo reached");
      await t.docker("inspect", "--format", "{{json .HostConfig.Links}}", id);
      await t.docker("ps", "-a", "--no-trunc", "--format", "{{.Names}}", "--filter", `id=${app}`);
      await t.docker("inspect", "--format", "{{.Name}}", `${t.name("web")}/app-1`);
      await t.docker("rename", t.name("app"), t.name("renamed"));
      await t.docker("inspect", "--format", "{{json .HostConfig.Links}}", id);
      await t.docker("rm", "--link", t.name("web"));
      await t.docker("rm", "--link", `${t.name("web")}/none`);
      await t.docker("rm", "--link", `/${t.name("web")}/app-1`);
      await t.docker("inspect", "--format", "{{json .HostConfig.Links}}", id);
      await t.docker("stop", "-t", "0", t.name("renamed"));
      await t.docker("exec", id, "true");
      await t.docker("restart", "-t", "0", t.name("web"));
    }),
    play("a link without an alias has the container's name", async (t) => {
      await t.running({ Hostname: "apphost", ExposedPorts: { "80/tcp": {} } }, t.name("app"));
      const id = await t.running({ HostConfig: { Links: [t.name("app")] } }, t.name("web"));
      await t.docker("exec", id, "sh", "-c", "env | grep -c PORT_80_TCP; grep -o '[^ \t]* apphost.*' /etc/hosts");
      await t.docker("inspect", "--format", "{{json .HostConfig.Links}}", id);
    }),
    play("links that are refused", async (t) => {
      await t.running({ HostConfig: { NetworkMode: "host" } }, t.name("host"));
      for (const Links of [["gantry-missing:x"], [":x"], ["a:b:c"], [""], [`${t.name("host")}:x`]])
        await t.call("POST", create, { body: { Image: "busybox", Cmd: ["true"], HostConfig: { Links } } });
      await t.running({}, t.name("app"));
      for (const NetworkMode of ["host", `container:${t.name("app")}`])
        await t.call("POST", create, { body: { Image: "busybox", Cmd: ["true"], HostConfig: { NetworkMode, Links: [t.name("app")] } } });
    }),
    play("on a network of the user a link is a name", async (t) => {
      await t.network(t.name("net"));
      await t.running({ HostConfig: { NetworkMode: t.name("net") } }, t.name("app"));
      const id = await t.container(
        {
          Cmd: ["sleep", "60"],
          HostConfig: { NetworkMode: t.name("net") },
          NetworkingConfig: { EndpointsConfig: { [t.name("net")]: { Links: [`${t.name("app")}:db`] } } },
        },
        { start: true },
      );
      await t.docker("exec", id, "sh", "-c", "ping -c 1 db >/dev/null && echo reached");
      await t.docker("exec", t.name("app"), "sh", "-c", "ping -c 1 db >/dev/null 2>&1 || echo unknown");
      await t.docker("inspect", "--format", "{{json .HostConfig.Links}} {{range .NetworkSettings.Networks}}{{json .Links}}{{end}}", id);
    }),
  ],
};
