import type { ContainerService } from "#engine/container/service.ts";
import type { WaitCondition, WaitResult } from "#engine/container/waiters.ts";
import { EngineError } from "#lib/errors.ts";
import type { ApiRequest } from "../http/request.ts";
import { stream, type ApiResponse } from "../http/response.ts";

const conditions: readonly string[] = ["not-running", "next-exit", "removed"];

/** The headers go out at once: Docker's client starts the container only when it has them. Source: Engine API, ContainerWait. */
export function waitForContainer(containers: ContainerService, { params, query, signal }: ApiRequest<"name">): Promise<ApiResponse> {
  const condition = query.get("condition") || "not-running";
  if (!conditions.includes(condition)) throw new EngineError("invalid", `invalid condition: ${JSON.stringify(condition)}`);
  const result = containers.wait(params.name, condition as WaitCondition, signal);
  result.catch(() => undefined); // the client has left: there is nobody to tell
  return Promise.resolve(stream("application/json", answer(result)));
}

async function* answer(result: Promise<WaitResult>): AsyncGenerator<string> {
  const { exitCode, error } = await result;
  yield `${JSON.stringify({ StatusCode: exitCode, ...(error ? { Error: { Message: error } } : {}) })}\n`;
}
