import { randomUUID } from "node:crypto";
import { HttpRequest, type HttpResponseInit } from "@azure/functions";
import type { Route } from "../../../../shared/api/route.ts";
import { routes } from "../../../../shared/api/routes.ts";
import type { App } from "../../../../shared/app.ts";
import type { Handlers } from "../../../../shared/http/handlers/handler.ts";
import { type Handler, serve } from "../../../../shared/http/serve.ts";
import type { Answer, RawRequest } from "../../../support/system/http.ts";

/** The app's HTTP edge without a host: requests run through authentication, parsing and operation in this process. */

export const origin = "http://intake.test";

export function edgeOf(app: App): (raw: RawRequest) => Promise<Answer> {
  const served = <P, Q, B>(route: Route<P, Q, B>, pick: (handlers: Handlers) => Handler<P, Q, B>) => ({
    route,
    serve: (request: HttpRequest) =>
      serve(
        async () => app.edge,
        route,
        async () => pick(app.handlers),
        request,
        { invocationId: randomUUID() },
      ),
  });
  const operations = [
    served(routes.Stamps_List, (handlers) => handlers.Stamps_List),
    served(routes.Stamps_List, (handlers) => handlers.Stamps_List),
    served(routes.Stamps_Put, (handlers) => handlers.Stamps_Put),
    served(routes.Stamps_Get, (handlers) => handlers.Stamps_Get),
    served(routes.Stamps_RotateKey, (handlers) => handlers.Stamps_RotateKey),
    served(routes.Stamps_Disable, (handlers) => handlers.Stamps_Disable),
    served(routes.Stamps_Enable, (handlers) => handlers.Stamps_Enable),
    served(routes.Stamps_ListAccessGrants, (handlers) => handlers.Stamps_ListAccessGrants),
    served(routes.Stamps_CheckUpload, (handlers) => handlers.Stamps_CheckUpload),
    served(routes.Stamps_ListAccesses, (handlers) => handlers.Stamps_ListAccesses),
    served(routes.AccessApproval_Get, (handlers) => handlers.AccessApproval_Get),
    served(routes.AccessApproval_Put, (handlers) => handlers.AccessApproval_Put),
    served(routes.AccessRequests_List, (handlers) => handlers.AccessRequests_List),
    served(routes.AccessRequests_Approve, (handlers) => handlers.AccessRequests_Approve),
    served(routes.AccessRequests_Deny, (handlers) => handlers.AccessRequests_Deny),
    served(routes.Consents_Get, (handlers) => handlers.Consents_Get),
    served(routes.Consents_Put, (handlers) => handlers.Consents_Put),
    served(routes.Consents_ListDecisions, (handlers) => handlers.Consents_ListDecisions),
    served(routes.Bundles_Put, (handlers) => handlers.Bundles_Put),
    served(routes.Bundles_Get, (handlers) => handlers.Bundles_Get),
    served(routes.Bundles_List, (handlers) => handlers.Bundles_List),
    served(routes.Bundles_RenewUpload, (handlers) => handlers.Bundles_RenewUpload),
    served(routes.Bundles_Submit, (handlers) => handlers.Bundles_Submit),
    served(routes.Bundles_GetVerification, (handlers) => handlers.Bundles_GetVerification),
    served(routes.Bundles_Cancel, (handlers) => handlers.Bundles_Cancel),
    served(routes.Bundles_Erase, (handlers) => handlers.Bundles_Erase),
    served(routes.Bundles_GetErasure, (handlers) => handlers.Bundles_GetErasure),
    served(routes.Bundles_CancelErase, (handlers) => handlers.Bundles_CancelErase),
    served(routes.Bundles_GetDeletionCertificate, (handlers) => handlers.Bundles_GetDeletionCertificate),
    served(routes.Cases_List, (handlers) => handlers.Cases_List),
    served(routes.Imports_Get, (handlers) => handlers.Imports_Get),
    served(routes.Imports_Put, (handlers) => handlers.Imports_Put),
    served(routes.Imports_Submit, (handlers) => handlers.Imports_Submit),
    served(routes.Imports_GetVerification, (handlers) => handlers.Imports_GetVerification),
    served(routes.Cases_Put, (handlers) => handlers.Cases_Put),
    served(routes.Cases_Get, (handlers) => handlers.Cases_Get),
    served(routes.Cases_ListBundles, (handlers) => handlers.Cases_ListBundles),
    served(routes.Cases_LinkBundle, (handlers) => handlers.Cases_LinkBundle),
    served(routes.Cases_UnlinkBundle, (handlers) => handlers.Cases_UnlinkBundle),
    served(routes.Files_List, (handlers) => handlers.Files_List),
    served(routes.Files_Extract, (handlers) => handlers.Files_Extract),
    served(routes.Files_GetExtraction, (handlers) => handlers.Files_GetExtraction),
    served(routes.Grants_List, (handlers) => handlers.Grants_List),
    served(routes.DropBoxes_Put, (handlers) => handlers.DropBoxes_Put),
    served(routes.DropBoxes_Get, (handlers) => handlers.DropBoxes_Get),
    served(routes.DropBoxes_List, (handlers) => handlers.DropBoxes_List),
    served(routes.DropBoxes_Close, (handlers) => handlers.DropBoxes_Close),
    served(routes.DropBoxes_EraseBundle, (handlers) => handlers.DropBoxes_EraseBundle),
    served(routes.DropBoxes_GetErasure, (handlers) => handlers.DropBoxes_GetErasure),
    served(routes.DropBoxes_CancelErase, (handlers) => handlers.DropBoxes_CancelErase),
    served(routes.Grants_Put, (handlers) => handlers.Grants_Put),
    served(routes.Grants_Get, (handlers) => handlers.Grants_Get),
    served(routes.Grants_IssueUrl, (handlers) => handlers.Grants_IssueUrl),
    served(routes.Grants_Revoke, (handlers) => handlers.Grants_Revoke),
    served(routes.Compliance_GetRetention, (handlers) => handlers.Compliance_GetRetention),
    served(routes.Compliance_ListEvents, (handlers) => handlers.Compliance_ListEvents),
    served(routes.Compliance_ListAccesses, (handlers) => handlers.Compliance_ListAccesses),
    served(routes.Compliance_ListCheckpoints, (handlers) => handlers.Compliance_ListCheckpoints),
    served(routes.Compliance_ListLeaves, (handlers) => handlers.Compliance_ListLeaves),
    served(routes.Compliance_GetProof, (handlers) => handlers.Compliance_GetProof),
    served(routes.People_Forget, (handlers) => handlers.People_Forget),
    served(routes.Service_GetKeys, (handlers) => handlers.Service_GetKeys),
    served(routes.Service_GetHealth, (handlers) => handlers.Service_GetHealth),
    served(routes.Terms_List, (handlers) => handlers.Terms_List),
  ];

  return async ({ method, path, headers = {}, body }) => {
    const pathOnly = path.split("?", 1)[0] ?? "";
    for (const { route, serve } of operations) {
      const params = route.verb === method ? match(route.path, pathOnly) : undefined;
      if (params === undefined) continue;
      const bytes = typeof body === "string" ? Buffer.from(body) : body;
      const length = bytes === undefined ? {} : { "content-length": String(bytes.byteLength) };
      const request = new HttpRequest({
        method,
        url: `${origin}${path}`,
        params,
        headers: { ...length, ...flat(headers) },
        ...(bytes === undefined ? {} : { body: { bytes } }),
      });
      return toAnswer(await serve(request));
    }
    throw new Error(`${method} ${path} is no operation of this edge`);
  };
}

function match(template: string, path: string): Record<string, string> | undefined {
  const pattern = template.replaceAll(/[.]/g, "\\.").replaceAll(/\{(\w+)\}/g, "(?<$1>[^/:]+)");
  return new RegExp(`^${pattern}$`).exec(path)?.groups ?? (template === path ? {} : undefined);
}

const flat = (headers: NonNullable<RawRequest["headers"]>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : value.join(", ")]),
  );

function toAnswer({ status = 200, headers = {}, body, jsonBody }: HttpResponseInit): Answer {
  const text = jsonBody === undefined ? String(body ?? "") : JSON.stringify(jsonBody);
  const json = jsonBody === undefined ? {} : { "content-type": "application/json" };
  return {
    status,
    headers: { ...json, ...Object.fromEntries(new Headers(headers)) },
    body: Buffer.from(text),
    text,
    get json(): unknown {
      return JSON.parse(text);
    },
  };
}
