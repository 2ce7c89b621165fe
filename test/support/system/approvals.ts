import { expectStatus } from "./expectations.ts";
import type { Answer } from "./http.ts";
import { type AccessRequest, accessRequestPage } from "./shapes.ts";
import type { StampActor } from "./stamp.ts";

/** What a stamp's operator does about access to its bundles. */

const operator = { decidedBy: "operator@contoso.example" };
export const denial = { ...operator, reason: "Our lawyers say no." };

export const setApproval = (stamp: StampActor, mode: "required" | "notRequired"): Promise<Answer> =>
  stamp.call("PUT", `${stamp.path}/accessApproval`, { mode, ...operator });

export const approve = (stamp: StampActor, grantId: string): Promise<Answer> =>
  stamp.call("POST", `${stamp.path}/accessRequests/${grantId}:approve`, operator);

export const deny = (stamp: StampActor, grantId: string): Promise<Answer> =>
  stamp.call("POST", `${stamp.path}/accessRequests/${grantId}:deny`, denial);

/** What waits for an answer: its first page. */
export const pendingRequests = async (stamp: StampActor): Promise<readonly AccessRequest[]> =>
  accessRequestPage.parse(expectStatus(await stamp.call("GET", `${stamp.path}/accessRequests`), 200).json).value;
