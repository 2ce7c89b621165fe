import type { OperationId } from "../../../shared/api/routes.ts";
import type { Caller } from "./callers.ts";
import type { BundleState, CaseState, GrantState, Situation } from "./situations.ts";

/**
 * Who may do what, read anew from `API.md` and from nothing else: the operations' "who" and what each refuses, in the contract's order of
 * checks. A route without a rule does not compile.
 */

type Who = "stamp" | "manifest" | "R" | "C" | "E" | "A";

/** The statuses of the codes that decide here (`API.md`, Errors). */
const statuses = {
  TokenMissing: 401,
  TokenInvalid: 401,
  TokenExpired: 401,
  SignatureMissing: 401,
  SignatureInvalid: 401,
  KeyUnknown: 401,
  KeyRetired: 401,
  RoleMissing: 403,
  ConflictingRoles: 403,
  StampDisabled: 403,
  CaseNotOpen: 403,
  GrantNotActive: 403,
  NotTheGrantee: 403,
  PurgeDue: 403,
  NotFound: 404,
  NothingUploaded: 409,
  InvalidState: 409,
  GrantConflict: 409,
  StampNotOnCase: 409,
  BundleNotLinked: 409,
  BundleNotAccepted: 409,
  NotYetDeleted: 409,
} as const;
type Code = keyof typeof statuses;

export type Request = { readonly caller: Caller; readonly verb: string; readonly situation: Situation };

/** Refuses with the code where it applies. */
type Refusal = readonly [code: Code, applies: (request: Request) => boolean];

type Rule = {
  readonly who: readonly Who[] | "anyone";
  /** Of a caller who was let in, asked in this order; the first that applies refuses. */
  readonly refuses?: readonly Refusal[];
  /** The status of success. */
  readonly succeeds: number | ((situation: Situation) => number);
};

const callerIs =
  (...these: readonly Caller[]) =>
  ({ caller }: Request) =>
    these.includes(caller);
const caseIs =
  (state: CaseState) =>
  ({ situation }: Request) =>
    situation.case === state;
const grantIs =
  (...states: readonly GrantState[]) =>
  ({ situation }: Request) =>
    situation.grant !== undefined && states.includes(situation.grant);
const bundleIs =
  (...states: readonly BundleState[]) =>
  ({ situation }: Request) =>
    situation.bundle !== undefined && states.includes(situation.bundle);
const both =
  (...conditions: readonly ((request: Request) => boolean)[]) =>
  (request: Request) =>
    conditions.every((holds) => holds(request));

const noSuchBundle: Refusal = ["NotFound", bundleIs("anotherStamps")];
/** An engineer knows only the cases assigned to them. */
const unknownCase: Refusal = ["NotFound", callerIs("engineerElsewhere", "engineerNowhere")];
const onClosedCase: Refusal = ["CaseNotOpen", caseIs("closed")];
const stampNotOnCase: Refusal = ["StampNotOnCase", bundleIs("anotherStamps")];
const purgeDue: Refusal = ["PurgeDue", bundleIs("erasing", "purged")];

/** Those grants were given before the stamp asked for approval. */
const neverAsked: Refusal = ["NotFound", grantIs("active", "ended")];

/** The bundles here are stamps': none of them came by the drop box. */
const neverDropped: Refusal = ["NotFound", () => true];

/** Without a grant of one's own that lends it, no file of a bundle. */
const filesLent: readonly Refusal[] = [
  unknownCase,
  ["GrantNotActive", (request) => caseIs("closed")(request) || callerIs("colleague")(request)],
  ["GrantNotActive", bundleIs("anotherStamps", "created")],
  purgeDue,
];

export const rules: Record<OperationId, Rule> = {
  Stamps_List: { who: ["R", "A"], succeeds: 200 },
  Stamps_Get: { who: ["R", "A", "stamp"], succeeds: 200 },
  Stamps_Put: { who: ["R"], succeeds: 200 },
  Stamps_RotateKey: { who: ["stamp"], succeeds: 200 },
  Stamps_Disable: { who: ["R"], succeeds: 200 },
  Stamps_Enable: { who: ["R"], succeeds: 200 },
  Stamps_GetCollectionOptions: { who: ["stamp"], succeeds: 200 },
  Stamps_ListAccessGrants: { who: ["stamp", "A"], succeeds: 200 },
  Stamps_CheckUpload: { who: ["stamp"], succeeds: 200 },
  Stamps_ListAccesses: { who: ["stamp", "A"], succeeds: 200 },

  AccessApproval_Get: { who: ["stamp", "A"], succeeds: 200 },
  AccessApproval_Put: { who: ["stamp"], succeeds: 200 },
  AccessRequests_List: { who: ["stamp", "A"], succeeds: 200 },
  AccessRequests_Approve: { who: ["stamp"], refuses: [neverAsked], succeeds: 200 },
  AccessRequests_Deny: { who: ["stamp"], refuses: [neverAsked], succeeds: 200 },

  Consents_Get: { who: ["stamp", "A"], succeeds: 200 },
  Consents_Put: { who: ["stamp"], succeeds: 200 },
  Consents_ListDecisions: { who: ["stamp", "A"], succeeds: 200 },

  Bundles_List: { who: ["stamp", "A"], succeeds: 200 },
  Bundles_Get: { who: ["stamp", "A"], refuses: [noSuchBundle], succeeds: 200 },
  // A bundle's id is the stamp's own: the same id under another stamp is another bundle.
  Bundles_Put: { who: ["stamp"], succeeds: ({ bundle }) => (bundle === "anotherStamps" ? 201 : 200) },
  Bundles_RenewUpload: {
    who: ["stamp"],
    refuses: [noSuchBundle, ["InvalidState", bundleIs("accepted", "erasing", "purged")]],
    succeeds: 200,
  },
  Bundles_Submit: {
    who: ["stamp"],
    refuses: [noSuchBundle, ["NothingUploaded", bundleIs("created")]],
    succeeds: 202,
  },
  Bundles_GetVerification: { who: ["stamp", "A"], refuses: [noSuchBundle], succeeds: 200 },
  Bundles_Cancel: {
    who: ["stamp"],
    refuses: [noSuchBundle, ["InvalidState", bundleIs("accepted", "erasing", "purged")]],
    succeeds: 200,
  },
  // The purged bundle was erased: asking again is 202 once more.
  Bundles_Erase: { who: ["stamp"], refuses: [noSuchBundle, ["InvalidState", bundleIs("created")]], succeeds: 202 },
  Bundles_GetErasure: {
    who: ["stamp", "A"],
    refuses: [["NotFound", bundleIs("anotherStamps", "created", "accepted")]],
    succeeds: 200,
  },
  Bundles_CancelErase: {
    who: ["stamp"],
    refuses: [noSuchBundle, ["InvalidState", bundleIs("created", "accepted", "purged")]],
    succeeds: 200,
  },
  Bundles_GetDeletionCertificate: {
    who: ["stamp", "A"],
    refuses: [
      noSuchBundle,
      ["NotYetDeleted", bundleIs("accepted", "erasing")],
      ["NotYetDeleted", both(bundleIs("created"), (request) => !callerIs("lostStamp")(request))],
    ],
    succeeds: 200,
  },

  // Manifests are those that made the bundle; there is none yet of a bundle of that id where another stamp has one.
  Imports_Get: { who: ["manifest"], refuses: [noSuchBundle], succeeds: 200 },
  Imports_Put: { who: ["manifest"], succeeds: ({ bundle }) => (bundle === "anotherStamps" ? 201 : 200) },
  Imports_Submit: {
    who: ["manifest"],
    refuses: [noSuchBundle, ["NothingUploaded", bundleIs("created")]],
    succeeds: 202,
  },
  Imports_GetVerification: { who: ["manifest"], refuses: [noSuchBundle], succeeds: 200 },

  Cases_List: { who: ["C", "A", "E"], succeeds: 200 },
  Cases_Get: { who: ["C", "A", "E"], refuses: [unknownCase], succeeds: 200 },
  Cases_Put: { who: ["C"], succeeds: 200 },
  Cases_ListBundles: { who: ["C", "A", "E"], refuses: [unknownCase], succeeds: 200 },
  Cases_LinkBundle: {
    who: ["C", "E"],
    refuses: [unknownCase, onClosedCase, stampNotOnCase, ["InvalidState", bundleIs("purged")]],
    succeeds: 200,
  },
  // What is not linked has nothing to unlink: 204 as if repeated, on a closed case too.
  Cases_UnlinkBundle: {
    who: ["C", "E"],
    refuses: [unknownCase, ["CaseNotOpen", both(caseIs("closed"), (request) => !bundleIs("anotherStamps")(request))]],
    succeeds: 204,
  },

  Files_List: { who: ["E"], refuses: filesLent, succeeds: 200 },
  Files_Extract: { who: ["E"], refuses: filesLent, succeeds: 200 },
  // Nobody has asked for that one.
  Files_GetExtraction: { who: ["E"], refuses: [...filesLent, ["NotFound", () => true]], succeeds: 200 },

  Grants_List: { who: ["C", "A", "E"], refuses: [unknownCase], succeeds: 200 },
  Grants_Get: { who: ["C", "A", "E"], refuses: [unknownCase], succeeds: 200 },
  Grants_Put: {
    who: ["E"],
    refuses: [
      unknownCase,
      ["GrantConflict", both(grantIs("pending", "active", "ended"), callerIs("colleague"))],
      ["CaseNotOpen", both(caseIs("closed"), grantIs("new"))],
      stampNotOnCase,
      purgeDue,
      ["BundleNotAccepted", bundleIs("created")],
    ],
    succeeds: ({ grant }) => (grant === "new" ? 201 : 200),
  },
  Grants_IssueUrl: {
    who: ["E"],
    refuses: [
      unknownCase,
      ["NotTheGrantee", callerIs("colleague")],
      ["GrantNotActive", grantIs("pending", "ended")],
      onClosedCase,
      stampNotOnCase,
      // Linked, and not in the grant: a grant takes only what is accepted.
      ["BundleNotLinked", bundleIs("created")],
      purgeDue,
    ],
    succeeds: 200,
  },
  Grants_Revoke: {
    who: ["C", "E"],
    refuses: [unknownCase, ["NotTheGrantee", callerIs("colleague")]],
    succeeds: 200,
  },

  DropBoxes_List: { who: ["C", "A", "E"], refuses: [unknownCase], succeeds: 200 },
  DropBoxes_Get: { who: ["C", "A", "E"], refuses: [unknownCase], succeeds: 200 },
  // A repeat of what opened it; of one that was closed it gives no URL.
  DropBoxes_Put: { who: ["C", "E"], refuses: [unknownCase, onClosedCase], succeeds: 200 },
  DropBoxes_Close: { who: ["C", "E"], refuses: [unknownCase], succeeds: 200 },
  DropBoxes_EraseBundle: { who: ["C"], refuses: [neverDropped], succeeds: 202 },
  DropBoxes_GetErasure: { who: ["C", "A"], refuses: [neverDropped], succeeds: 200 },
  DropBoxes_CancelErase: { who: ["C"], refuses: [neverDropped], succeeds: 200 },

  People_Forget: { who: ["R"], succeeds: 204 },

  Compliance_GetRetention: { who: ["A"], succeeds: 200 },
  Compliance_ListEvents: { who: ["A"], succeeds: 200 },
  Compliance_ListAccesses: { who: ["A"], succeeds: 200 },
  Compliance_ListCheckpoints: { who: ["A"], succeeds: 200 },
  Compliance_ListLeaves: { who: ["A"], succeeds: 200 },
  Compliance_GetProof: { who: ["A"], succeeds: 200 },

  Service_GetHealth: { who: "anyone", succeeds: 200 },
  Service_GetOpenApi: { who: "anyone", succeeds: 200 },
  Service_GetKeys: { who: "anyone", succeeds: 200 },
  Terms_List: { who: "anyone", succeeds: 200 },
  Terms_Get: { who: "anyone", succeeds: 200 },
};

type Entrance = { readonly who: readonly Who[]; readonly verb: string };
type Entry = (to: Entrance) => Code | undefined;

const signing =
  (refusal: (to: Entrance) => Code | undefined): Entry =>
  (to) =>
    to.who.includes("stamp") ? refusal(to) : "TokenMissing";
const holding =
  (role: Who): Entry =>
  ({ who }) =>
    who.includes(role) ? undefined : "RoleMissing";

/** A manifest is of one bundle and no other route's credential. */
const showing =
  (refusal: () => Code | undefined): Entry =>
  ({ who }) =>
    who.includes("manifest") ? refusal() : "TokenInvalid";

/** What the credential alone decides (`API.md`, Who, and the order of checks). */
const entry: Record<Caller, Entry> = {
  nobody: ({ who }) => (who.includes("stamp") ? "SignatureMissing" : "TokenMissing"),
  stamp: signing(() => undefined),
  anotherStamp: signing(() => "KeyUnknown"),
  lostStamp: signing(({ verb }) => (verb === "GET" ? undefined : "StampDisabled")),
  compromisedStamp: signing(() => "StampDisabled"),
  retiredKey: signing(() => "KeyRetired"),
  carrier: showing(() => undefined),
  otherCarrier: showing(() => "SignatureInvalid"),
  registration: holding("R"),
  caseSystem: holding("C"),
  grantee: holding("E"),
  colleague: holding("E"),
  engineerElsewhere: holding("E"),
  engineerNowhere: holding("E"),
  auditor: holding("A"),
  noRole: () => "RoleMissing",
  twoRoles: () => "ConflictingRoles",
  expiredToken: () => "TokenExpired",
  tokenAndSignature: () => "TokenInvalid",
};

/** What the contract answers: the status of success, or status and code of the refusal, such as `403 RoleMissing`. */
export function verdictOf(operationId: OperationId, request: Request): string {
  // Tests run without a type check.
  const rule: Rule | undefined = rules[operationId];
  if (rule === undefined) throw new Error(`${operationId} has no rule yet: state in rules.ts who may do it.`);
  const { who, refuses = [], succeeds } = rule;
  const refusal =
    who === "anyone"
      ? undefined
      : (entry[request.caller]({ who, verb: request.verb }) ?? refuses.find(([, applies]) => applies(request))?.[0]);
  if (refusal !== undefined) return `${statuses[refusal]} ${refusal}`;
  return String(typeof succeeds === "number" ? succeeds : succeeds(request.situation));
}
