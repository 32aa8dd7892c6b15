import type { ContainerService } from "#engine/container/service.ts";
import { isRunning } from "#engine/container/state.ts";
import type { Sample } from "#engine/container/stats/collector.ts";
import { EngineError } from "#lib/errors.ts";
import { stringifyExact } from "#lib/exact-integers.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { queryBoolean } from "../decode/query.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, stream, type ApiResponse } from "../http/response.ts";
import { apiVersionOf, type ApiVersion } from "../http/version.ts";
import { toWireStats } from "./stats-wire.ts";

/** Source: Engine API, ContainerStats. */
export async function containerStats(
  containers: ContainerService,
  { params, query, apiVersion }: ApiRequest<"name">,
): Promise<ApiResponse> {
  const streams = queryBoolean(query, "stream", true);
  const isOneShot = queryBoolean(query, "one-shot");
  if (streams && isOneShot) throw new EngineError("invalid", "cannot have stream=true and one-shot=true");
  const record = containers.find(params.name);
  if (streams) return stream("application/json", lines(containers, record, apiVersion));
  const named = nameOf(containers, record, apiVersion);
  if (!isRunning(record.state)) return json(200, toWireStats(undefined, undefined, named));
  // dockerd forgot the name here, until 1.52.
  if (isOneShot) return json(200, toWireStats(containers.stats.sample(record.id), undefined, isNew(apiVersion) ? named : {}));
  const [first, second] = await twoSamples(containers.stats.samples(record.id));
  return json(200, toWireStats(second, first, nameOf(containers, record, apiVersion)));
}

/** A second apart, so that a share of the processors can be told from them. */
async function twoSamples(samples: AsyncGenerator<Sample, void>): Promise<Sample[]> {
  const taken: Sample[] = [];
  for await (const sample of samples) if (taken.push(sample) === 2) break;
  return taken;
}

/** One object a second, of a container that does not run an empty one, until it is removed. */
async function* lines(containers: ContainerService, record: ContainerRecord, version: ApiVersion): AsyncGenerator<string> {
  let previous: Sample | undefined;
  for await (const sample of containers.stats.samples(record.id)) {
    yield `${stringifyExact(toWireStats(sample, previous, nameOf(containers, record, version)))}\n`;
    previous = sample;
  }
}

const isNew = (version: ApiVersion): boolean => version >= apiVersionOf(1, 52);

/** As it is called now: a rename shows in a stream. */
function nameOf(containers: ContainerService, record: ContainerRecord, version: ApiVersion) {
  const { name, id } = containers.lookup(record.id) ?? record;
  return { name: `/${name}`, id, ...(isNew(version) && { os_type: "linux" }) };
}
