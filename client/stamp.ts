import type { z } from "zod";
import {
  accessApproval,
  accessRequest,
  type approvalDecision,
  type approvalRequest,
  type denialRequest,
} from "../shared/api/approvals.ts";
import {
  access,
  bundle,
  type bundleRequest,
  type erasureRequest,
  type submission,
  verification,
} from "../shared/api/bundles.ts";
import { stampGrant } from "../shared/api/cases.ts";
import { consent, type consentDecision, termsList } from "../shared/api/consents.ts";
import { uploadCheck, type uploadCheckRequest } from "../shared/api/preflight.ts";
import { collectionOptions, type registration, stamp } from "../shared/api/stamps.ts";
import { type Call, call, listed, type Service } from "./service.ts";

/** What a stamp can ask of the service, in the words of `API.md`. */
export type StampApi = ReturnType<typeof stampApi>;

/** What sending a bundle takes of it: all that somebody else than the stamp, who brings a saved one, can do too. */
export type SenderApi = Pick<
  StampApi,
  "service" | "createBundle" | "renewUpload" | "submit" | "bundle" | "verification"
>;

type Signal = AbortSignal | undefined;

/** The operations of one stamp; `service` carries its signature. */
export function stampApi(service: Service, stampId: string) {
  const self = `/stamps/${stampId}`;
  const ask = async <T>(request: Call<T>): Promise<T> => (await call(service, request)).value;
  const of = (bundleId: string, action = "") => `${self}/bundles/${bundleId}${action}`;

  return {
    service,
    stampId,
    stamp: (signal?: Signal) => ask({ method: "GET", path: self, answer: stamp, signal }),

    collectionOptions: (signal?: Signal) =>
      ask({ method: "GET", path: `${self}/collectionOptions`, answer: collectionOptions, signal }),
    checkUpload: (body: z.input<typeof uploadCheckRequest>, signal?: Signal) =>
      ask({ method: "POST", path: `${self}:checkUpload`, body, answer: uploadCheck, signal }),

    consent: (signal?: Signal) =>
      ask({ method: "GET", path: `${self}/consents/proactiveCollection`, answer: consent, signal }),
    decideConsent: (body: z.input<typeof consentDecision>, signal?: Signal) =>
      ask({ method: "PUT", path: `${self}/consents/proactiveCollection`, body, answer: consent, signal }),

    createBundle: (bundleId: string, body: z.input<typeof bundleRequest>, signal?: Signal) =>
      ask({ method: "PUT", path: of(bundleId), body, answer: bundle, signal }),
    bundle: (bundleId: string, signal?: Signal) => ask({ method: "GET", path: of(bundleId), answer: bundle, signal }),
    bundles: (signal?: Signal) => listed(service, { path: `${self}/bundles`, answer: bundle, signal }),
    renewUpload: (bundleId: string, signal?: Signal) =>
      ask({ method: "POST", path: of(bundleId, ":renewUpload"), answer: bundle, signal }),
    submit: (bundleId: string, body: z.input<typeof submission>, signal?: Signal) =>
      ask({ method: "POST", path: of(bundleId, ":submit"), body, answer: bundle, signal }),
    verification: (bundleId: string, signal?: Signal) =>
      call(service, { method: "GET", path: of(bundleId, "/verification"), answer: verification, signal }),
    cancel: (bundleId: string, signal?: Signal) =>
      ask({ method: "POST", path: of(bundleId, ":cancel"), answer: bundle, signal }),
    erase: (bundleId: string, body: z.input<typeof erasureRequest>, signal?: Signal) =>
      ask({ method: "POST", path: of(bundleId, ":erase"), body, answer: bundle, signal }),
    cancelErase: (bundleId: string, body: z.input<typeof erasureRequest>, signal?: Signal) =>
      ask({ method: "POST", path: of(bundleId, ":cancelErase"), body, answer: bundle, signal }),

    approval: (signal?: Signal) =>
      ask({ method: "GET", path: `${self}/accessApproval`, answer: accessApproval, signal }),
    setApproval: (body: z.input<typeof approvalDecision>, signal?: Signal) =>
      ask({ method: "PUT", path: `${self}/accessApproval`, body, answer: accessApproval, signal }),
    accessRequests: (signal?: Signal) =>
      listed(service, { path: `${self}/accessRequests`, answer: accessRequest, signal }),
    approveAccess: (grantId: string, body: z.input<typeof approvalRequest>, signal?: Signal) =>
      ask({ method: "POST", path: `${self}/accessRequests/${grantId}:approve`, body, answer: accessRequest, signal }),
    denyAccess: (grantId: string, body: z.input<typeof denialRequest>, signal?: Signal) =>
      ask({ method: "POST", path: `${self}/accessRequests/${grantId}:deny`, body, answer: accessRequest, signal }),

    accesses: (signal?: Signal) => listed(service, { path: `${self}/accesses`, answer: access, signal }),
    accessGrants: (signal?: Signal) => listed(service, { path: `${self}/accessGrants`, answer: stampGrant, signal }),
  };
}

/** Registers a stamp; the service's credential is a token with `Registration.Manage`. */
export const register = async (
  service: Service,
  stampId: string,
  body: z.input<typeof registration>,
  signal?: Signal,
) => (await call(service, { method: "PUT", path: `/stamps/${stampId}`, body, answer: stamp, signal })).value;

/** The version of the consent terms in force. No credential is needed. */
export async function currentTerms(
  service: Service,
  signal?: Signal,
): Promise<{ readonly version: string; readonly url: string }> {
  const { value } = (await call(service, { method: "GET", path: "/terms", answer: termsList, signal })).value;
  const current = value.find((each) => each.current);
  if (current === undefined) throw new Error(`${service.origin}/terms names no current version of the consent terms`);
  return { version: current.version, url: new URL(`/terms/${current.version}`, service.origin).href };
}
