import { createECDH } from "node:crypto";
import { bundleRequest } from "../../../../shared/api/bundles.ts";
import { bundleId, dropBoxId, guid, stampId, utcTime } from "../../../../shared/api/primitives.ts";
import { registration } from "../../../../shared/api/stamps.ts";
import { bundleRecord } from "../../../../shared/domain/bundle.ts";
import { caseRecord } from "../../../../shared/domain/case.ts";
import { dropBoxRecord, senderOf } from "../../../../shared/domain/dropBox.ts";
import { grantRecord } from "../../../../shared/domain/grant.ts";
import { subjectId } from "../../../../shared/domain/people.ts";
import { stampRecord } from "../../../../shared/domain/stamp.ts";

/** Records as they stand in storage, whole and valid; a test says only what it is about. */

type Fields = Readonly<Record<string, unknown>>;

/** The `n`th GUID of its kind. */
export const id = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;

export const aStampId = stampId.parse(id(1));
export const aBundleId = bundleId.parse(id(2));
export const aDecisionId = guid.parse(id(3));

/** A time of the contract. */
export const on = (text: string) => utcTime.parse(text);

/** When everything here was made. */
export const createdOn = on("2026-11-23T10:00:00.000Z");
export const at = (text: string): Date => new Date(text);

/** The public half of the private key `n`, a different one for each. */
export function publicKey(n: number) {
  const pair = createECDH("prime256v1");
  pair.setPrivateKey(Buffer.from([n]));
  const point = pair.getPublicKey();
  return { kty: "EC", crv: "P-256", x: point.toString("base64url", 1, 33), y: point.toString("base64url", 33) };
}

export const aRegistration = (changes: Fields = {}) =>
  registration.parse({
    displayName: "Contoso, Redmond lab",
    stampVersion: "1.2501.1.47",
    deploymentId: id(9),
    cloud: "AzureCloud",
    geography: "westeurope",
    registrationResourceId: resourceId("reg-1"),
    keys: [{ keyId: "k1", jwk: publicKey(1) }],
    ...changes,
  });

export const resourceId = (name: string): string =>
  `/subscriptions/${id(8)}/resourceGroups/azurestack/providers/Microsoft.AzureStack/registrations/${name}`;

export const aStamp = (changes: Fields = {}) =>
  stampRecord.parse({
    ...aRegistration(),
    stampId: aStampId,
    keys: [{ keyId: "k1", jwk: publicKey(1), addedBy: "registration" }],
    registrationGeneration: 1,
    state: "enabled",
    createdOn,
    updatedOn: createdOn,
    consentEpoch: 0,
    uploadEpoch: 0,
    ...changes,
  });

/** The consent of a stamp, enabled since everything here was made. */
export const aConsent = (changes: Fields = {}) => ({
  decisionId: aDecisionId,
  state: "enabled",
  decidedOn: createdOn,
  enabledSince: createdOn,
  decidedBy: id(4),
  termsVersion: "2026-11-01",
  purposes: ["troubleshooting", "productHealth"],
  ...changes,
});

export const aRequest = (changes: Fields = {}) =>
  bundleRequest.parse({
    mode: "sendNow",
    ...(changes.mode === "proactive"
      ? { trigger: { faultId: "Urp.UpdateFailure", raisedOn: createdOn } }
      : { consent: { decidedBy: "operator", decidedOn: createdOn, termsVersion: "2026-11-01" } }),
    logsFrom: "2026-11-23T06:00:00Z",
    logsTo: "2026-11-23T10:00:00Z",
    collectedOn: createdOn,
    stampVersion: "1.2501.1.47",
    fileName: "AzureStackLogs-20240927104305-SAC14-ERCS01.zip",
    contentType: "application/zip",
    sizeBytes: 4096,
    ...changes,
  });

export const aBundle = (changes: Fields = {}) =>
  bundleRecord.parse({
    ...aRequest(),
    stampId: aStampId,
    bundleId: aBundleId,
    state: "created",
    createdOn,
    deleteBy: "2027-02-21T10:00:00.000Z",
    purgeOn: "2027-02-11T00:00:00.000Z",
    consentDecision: {
      decisionId: aDecisionId,
      basis: "operator",
      decidedOn: createdOn,
      termsVersion: "2026-11-01",
      purposes: ["troubleshooting", "productHealth"],
    },
    links: [],
    requestDigest: "",
    consentEpoch: 0,
    uploadEpoch: 0,
    account: "one",
    landing: "landing-20261123-0",
    ...changes,
  });

export const aCaseNumber = "2211280040006230";

/** Opened for 72 hours on `aCase`. */
export const aDropBox = (changes: Fields = {}) =>
  dropBoxRecord.parse({
    kind: "dropBox",
    dropBoxId: id(20),
    stampId: senderOf(dropBoxId.parse(id(20))),
    caseNumber: aCaseNumber,
    state: "open",
    contact: id(21),
    decidedBy: id(22),
    consentDecision: {
      decisionId: aDecisionId,
      basis: "operator",
      decidedOn: createdOn,
      termsVersion: "2026-11-01",
      purposes: ["troubleshooting", "productHealth"],
    },
    createdOn,
    expiresOn: "2026-11-26T10:00:00.000Z",
    deleteBy: "2027-02-21T10:00:00.000Z",
    purgeOn: "2027-02-11T00:00:00.000Z",
    requestDigest: "",
    account: "one",
    container: `box-20261123-${id(20)}`,
    consentEpoch: 0,
    uploadEpoch: 0,
    ...changes,
  });

export const aCase = (changes: Fields = {}) =>
  caseRecord.parse({
    caseNumber: aCaseNumber,
    revision: 1,
    kind: "support",
    state: "open",
    stampIds: [aStampId],
    assignees: [{ subjectId: id(5), epoch: 1 }],
    createdOn,
    updatedOn: createdOn,
    openEpoch: 0,
    assigneeEpoch: 1,
    ...changes,
  });

/** The engineer that `aCase` assigns. */
export const anEngineer = subjectId.parse(id(5));

/** A grant on `aCase` for an hour from when everything here was made. */
export const aGrant = (changes: Fields = {}) =>
  grantRecord.parse({
    grantId: id(10),
    caseNumber: aCaseNumber,
    grantee: anEngineer,
    purpose: "troubleshooting",
    justificationNote: id(11),
    bundles: [{ stampId: aStampId, bundleId: aBundleId, stampEpoch: 0 }],
    durationMinutes: 60,
    startsOn: createdOn,
    expiresOn: "2026-11-23T11:00:00.000Z",
    openEpoch: 0,
    assigneeEpoch: 1,
    ...changes,
  });
