import type { HttpRequest, HttpResponseInit, InvocationContext } from "@azure/functions";
import type { OtherApp } from "../apps.ts";
import type { Log } from "../operations/needs.ts";
import { notServedHere } from "./elsewhere.ts";
import { receive } from "./received.ts";
import { asRefusal, noSuchRoute, refusalResponse } from "./refuse.ts";
import { commonHeaders, withHeaders } from "./serve.ts";

/** The answer to a route or a verb that the contract does not have, or that the other app serves. */
export async function refuseUnknown(
  otherApp: () => Promise<OtherApp | undefined>,
  request: HttpRequest,
  context: Pick<InvocationContext, "invocationId">,
  log: Log,
): Promise<HttpResponseInit> {
  const headers = commonHeaders(request, context.invocationId);
  try {
    const { method, path } = await receive(request, false);
    const other = await otherApp();
    throw (other && notServedHere(other, method, path)) ?? noSuchRoute();
  } catch (error) {
    const refusal = asRefusal(error);
    log.info("request.refused", { operation: "none", code: refusal.code, requestId: context.invocationId });
    return withHeaders(refusalResponse(refusal, "Bearer"), headers);
  }
}
