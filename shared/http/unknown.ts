import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { Log } from "../operations/needs.ts";
import { receive } from "./received.ts";
import { asRefusal, noSuchRoute, refusalResponse } from "./refuse.ts";
import { commonHeaders, withHeaders } from "./serve.ts";

/** The answer to a route or a verb that the contract does not have. */
export async function refuseUnknown(
  request: HttpRequest,
  context: Pick<InvocationContext, "invocationId">,
  log: Log,
): Promise<HttpResponseInit> {
  const headers = commonHeaders(request, context.invocationId);
  try {
    await receive(request, false);
    throw noSuchRoute();
  } catch (error) {
    const refusal = asRefusal(error);
    log.info("request.refused", { operation: "none", code: refusal.code, requestId: context.invocationId });
    return withHeaders(refusalResponse(refusal, "Bearer"), headers);
  }
}
