import * as z from "zod";
import { bundleId, caseNumber, grantId, pageQuery, sha256Hex, stampId } from "../primitives.ts";
import { noBody } from "../route.ts";

/** What many routes have in common. */

export const nothing = z.object({});
export const page = z.object(pageQuery);

export const ofStamp = z.object({ stampId });
export const ofBundle = z.object({ stampId, bundleId });
export const ofCase = z.object({ caseNumber });
export const ofLink = z.object({ caseNumber, stampId, bundleId });
export const ofExtraction = ofLink.extend({ extractionId: sha256Hex });
export const ofRequest = z.object({ stampId, grantId });
export const ofGrant = z.object({ caseNumber, grantId });

export const get = { verb: "GET", body: noBody, statuses: [200] } as const;
export const put = { verb: "PUT", statuses: [200, 201] } as const;
export const action = { verb: "POST", statuses: [200] } as const;
export const accepted = { verb: "POST", statuses: [202] } as const;
export const remove = { verb: "DELETE", body: noBody, result: undefined, statuses: [204] } as const;
export const plain = { query: nothing } as const;
