import { expect, test } from "bun:test";
import { EngineError } from "#lib/errors.ts";
import type { Inputs } from "./generated/schema.ts";
import { decodeBody } from "./request-body.ts";

/** Bodies and what dockerd 28.5.2 (Go 1.27) answered; "" where it took the body. */
const recorded: readonly (readonly [operation: keyof Inputs, body: string | Buffer, message: string])[] = [
  ["ContainerCreate", "", "invalid JSON: got EOF while reading request body"],
  ["ContainerCreate", " \n", "invalid JSON: got EOF while reading request body"],
  ["NetworkCreate", "", ""],
  ["NetworkCreate", " ", "invalid JSON: got EOF while reading request body"],
  ["ImageCommit", " ", ""],
  ["ImageCommit", "[]", "invalid JSON: json: cannot unmarshal array into Go value of type container.CreateRequest"],
  ["SystemAuth", "", "EOF"],
  ["SystemAuth", "{", "unexpected EOF"],
  ["SystemAuth", '{"username":1}', "json: cannot unmarshal number into Go struct field .username of type string"],
  ["PluginPull", "{}", "invalid JSON: json: cannot unmarshal object into Go value of type types.PluginPrivileges"],
  ["PluginSet", "{}", "invalid JSON: json: cannot unmarshal object into Go value of type []string"],
  ["SwarmInit", "[]", "invalid JSON: json: cannot unmarshal array into Go value of type swarm.InitRequest"],
  // Syntax.
  ["ContainerCreate", "{", "invalid JSON: unexpected EOF"],
  ["ContainerCreate", "invalid", "invalid JSON: invalid character 'i' looking for beginning of value"],
  ["ContainerCreate", "{i", "invalid JSON: invalid character 'i' looking for beginning of object key string"],
  ["ContainerCreate", '{"a"', "invalid JSON: unexpected EOF"],
  ["ContainerCreate", '{"a":', "invalid JSON: unexpected EOF"],
  ["ContainerCreate", '{"a":1', "invalid JSON: unexpected EOF"],
  ["ContainerCreate", '{"Image":1,', "invalid JSON: unexpected EOF"],
  ["ContainerCreate", '{"a":1,}', "invalid JSON: invalid character '}' looking for beginning of object key string"],
  ["ContainerCreate", "{'a':1}", "invalid JSON: invalid character '\\'' looking for beginning of object key string"],
  ["ContainerCreate", '{"Image" "x"}', "invalid JSON: invalid character '\"' after object key"],
  ["ContainerCreate", '{"Image":"x" "y"}', "invalid JSON: invalid character '\"' after object key:value pair"],
  ["ContainerCreate", '{"Env":["a" "b"]}', "invalid JSON: invalid character '\"' after array element"],
  ["ContainerCreate", '{"Env":["a",]}', "invalid JSON: invalid character ']' looking for beginning of value"],
  ["ContainerCreate", '{"Image":tru}', "invalid JSON: invalid character '}' in literal true (expecting 'e')"],
  ["ContainerCreate", "nulx", "invalid JSON: invalid character 'x' in literal null (expecting 'l')"],
  ["ContainerCreate", "tru", "invalid JSON: unexpected EOF"],
  ["ContainerCreate", '{"Image":01}', "invalid JSON: invalid character '1' after object key:value pair"],
  ["ContainerCreate", '{"Image":-}', "invalid JSON: invalid character '}' in numeric literal"],
  ["ContainerCreate", '{"Image":1.}', "invalid JSON: invalid character '}' in numeric literal"],
  ["ContainerCreate", '{"Image":1e}', "invalid JSON: invalid character '}' in numeric literal"],
  ["ContainerCreate", '{"Image":+1}', "invalid JSON: invalid character '+' looking for beginning of value"],
  ["ContainerCreate", '{"Image":"a\nb"}', "invalid JSON: invalid character '\\n' in string"],
  ["ContainerCreate", '{"Image":"a\u0000b"}', "invalid JSON: invalid character '\\x00' in string"],
  ["ContainerCreate", '{"Image":"\\x"}', "invalid JSON: invalid escape sequence `\\x` in string"],
  ["ContainerCreate", '{"Image":"\\u12"}', 'invalid JSON: invalid escape sequence `\\u12"}` in string'],
  ["ContainerCreate", '{"Image":"\\`"}', 'invalid JSON: invalid escape sequence "\\\\`" in string'],
  ["ContainerCreate", '{"Image":"\\é"}', 'invalid JSON: invalid escape sequence "\\\\\\xc3" in string'],
  ["ContainerCreate", '{"Image":"\\u1', "invalid JSON: unexpected EOF"],
  ["ContainerCreate", "é", "invalid JSON: invalid character 'é' looking for beginning of value"],
  ["ContainerCreate", "\u200b", "invalid JSON: invalid character '\\u200b' looking for beginning of value"],
  ["ContainerCreate", "\ufeff{}", "invalid JSON: invalid character '\\ufeff' looking for beginning of value"],
  [
    "ContainerCreate",
    Buffer.from([0x7b, 0xff, 0x7d]),
    "invalid JSON: invalid character '\\xff' looking for beginning of object key string",
  ],
  ["ContainerCreate", Buffer.from([0x7b, 0xc3]), "invalid JSON: invalid character '\\xc3' looking for beginning of object key string"],
  ["ContainerCreate", `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`, "invalid JSON: exceeded max depth"],
  ["ContainerCreate", `{"a":${"[".repeat(9_999)}${"]".repeat(9_999)}}`, ""],
  ["ContainerCreate", "{} {}", "unexpected content after JSON"],
  ["ContainerCreate", "{},", "unexpected content after JSON"],
  ["ContainerCreate", "1 1", "invalid JSON: json: cannot unmarshal number into Go value of type container.CreateRequest"],
  // Types.
  ["ContainerCreate", '"x"', "invalid JSON: json: cannot unmarshal string into Go value of type container.CreateRequest"],
  ["ContainerCreate", "true", "invalid JSON: json: cannot unmarshal bool into Go value of type container.CreateRequest"],
  ["ContainerCreate", '{"Image":1}', "invalid JSON: json: cannot unmarshal number into Go struct field .Image of type string"],
  ["ContainerCreate", '{"Image":1,"Cmd":1}', "invalid JSON: json: cannot unmarshal number into Go struct field .Image of type string"],
  ["ContainerCreate", '{"Cmd":[1]}', "invalid JSON: json: cannot unmarshal array into Go value of type string"],
  ["ContainerCreate", '{"Entrypoint":{}}', "invalid JSON: json: cannot unmarshal object into Go value of type string"],
  ["ContainerCreate", '{"HostConfig":{"CapAdd":1}}', "invalid JSON: json: cannot unmarshal number into Go value of type string"],
  ["ContainerCreate", '{"Env":"x"}', "invalid JSON: json: cannot unmarshal string into Go struct field .Env of type []string"],
  ["ContainerCreate", '{"Env":["a",1,2]}', "invalid JSON: json: cannot unmarshal number into .Env.1 of type string"],
  ["ContainerCreate", '{"Labels":{"80":1}}', "invalid JSON: json: cannot unmarshal number into .Labels.80 of type string"],
  [
    "ContainerCreate",
    '{"Labels":{"a/b~c.d":1}}',
    "invalid JSON: json: cannot unmarshal number into Go struct field .Labels.a~1b~0c.d of type string",
  ],
  ["ContainerCreate", '{"Labels":{"":1}}', "invalid JSON: json: cannot unmarshal number into Go struct field .Labels. of type string"],
  [
    "ContainerCreate",
    '{"hostconfig":{"memory":"x"}}',
    "invalid JSON: json: cannot unmarshal string into Go struct field .hostconfig.memory of type int64",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"Memory":1.5}}',
    "invalid JSON: json: cannot unmarshal number 1.5 into Go struct field .HostConfig.Memory of type int64",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"Memory":1e3}}',
    "invalid JSON: json: cannot unmarshal number 1e3 into Go struct field .HostConfig.Memory of type int64",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"Memory":9223372036854775808}}',
    "invalid JSON: json: cannot unmarshal number 9223372036854775808 into Go struct field .HostConfig.Memory of type int64",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"BlkioWeight":70000}}',
    "invalid JSON: json: cannot unmarshal number 70000 into Go struct field .HostConfig.BlkioWeight of type uint16",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"ConsoleSize":[-1,1]}}',
    "invalid JSON: json: cannot unmarshal number -1 into .HostConfig.ConsoleSize.0 of type uint",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"ConsoleSize":{}}}',
    "invalid JSON: json: cannot unmarshal object into Go struct field .HostConfig.ConsoleSize of type [2]uint",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"NetworkMode":1}}',
    "invalid JSON: json: cannot unmarshal number into Go struct field .HostConfig.NetworkMode of type container.NetworkMode",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"RestartPolicy":"always"}}',
    "invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.RestartPolicy of type container.RestartPolicy",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"PortBindings":{"80":"x"}}}',
    "invalid JSON: json: cannot unmarshal string into .HostConfig.PortBindings.80 of type []nat.PortBinding",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"PortBindings":[]}}',
    "invalid JSON: json: cannot unmarshal array into Go struct field .HostConfig.PortBindings of type nat.PortMap",
  ],
  [
    "ContainerCreate",
    '{"ExposedPorts":{"80/tcp":1}}',
    "invalid JSON: json: cannot unmarshal number into Go struct field .ExposedPorts.80~1tcp of type struct {}",
  ],
  [
    "ContainerCreate",
    '{"Healthcheck":{"Interval":"30s"}}',
    "invalid JSON: json: cannot unmarshal string into Go struct field .Healthcheck.Interval of type time.Duration",
  ],
  [
    "ContainerCreate",
    '{"Healthcheck":[]}',
    "invalid JSON: json: cannot unmarshal array into Go struct field .Healthcheck of type v1.HealthcheckConfig",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"Mounts":[{"TmpfsOptions":{"Mode":-1}}]}}',
    "invalid JSON: json: cannot unmarshal number -1 into Go struct field .HostConfig.Mounts.0.TmpfsOptions.Mode of type fs.FileMode",
  ],
  [
    "ContainerCreate",
    '{"NetworkingConfig":{"EndpointsConfig":{"a":1}}}',
    "invalid JSON: json: cannot unmarshal number into Go struct field .NetworkingConfig.EndpointsConfig.a of type network.EndpointSettings",
  ],
  [
    "ContainerCreate",
    '{"HostConfig":{"Memory":"x"},"HostConfig":{"Memory":5}}',
    "invalid JSON: json: cannot unmarshal string into Go struct field .HostConfig.Memory of type int64",
  ],
  [
    "ContainerUpdate",
    '{"Memory":"x"}',
    "invalid JSON: json: cannot unmarshal string into Go struct field UpdateConfig.Memory of type int64",
  ],
  [
    "ContainerUpdate",
    '{"BlkioWeightDevice":["x"]}',
    "invalid JSON: json: cannot unmarshal string into UpdateConfig.BlkioWeightDevice.0 of type blkiodev.WeightDevice",
  ],
  [
    "SecretCreate",
    '{"Data":"YWJj%"}',
    "invalid JSON: json: cannot unmarshal string into Go struct field SecretSpec.Data of type []uint8: illegal base64 data at input byte 4",
  ],
];

test.each(recorded)("%s with %j is answered as by dockerd", (operation, body, message) => {
  expect(answerTo(operation, body)).toBe(message);
});

/** dockerd takes a closing brace or bracket after the value for its end. */
test.each(["{}}", "{}]"])("%s is refused, which dockerd takes", (body) => {
  expect(answerTo("ContainerCreate", body)).toBe("unexpected content after JSON");
});

function answerTo(operation: keyof Inputs, body: string | Buffer): string {
  try {
    decodeBody(operation, body);
    return "";
  } catch (error) {
    if (error instanceof EngineError && error.kind === "invalid") return error.message;
    throw error;
  }
}
