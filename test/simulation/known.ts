/** What those outside the service know of it: what they asked for, and what they were told. The service's answers are judged by it. */

/** Asked for, whatever came of it; or acknowledged as well. Undefined: never asked for, or surely refused. */
export type Said = "asked" | "acknowledged" | undefined;

/** A file inside of a bundle. */
export type KnownFile = { readonly path: string; readonly sha256: string };

/** With which key a manifest was signed, and when in real time. */
export type Custody = { readonly signedOn: string; readonly keyId: string };

export type KnownBundle = {
  /** Its stamp, or the drop box that it arrived in. */
  readonly stampId: string;
  readonly bundleId: string;
  readonly mode: "proactive" | "sendNow" | "savedLocally" | "dropBox";
  readonly sizeBytes: number;
  readonly sha256: string;
  /** Whether verification should find nothing wrong: it is a zip, or need be none. */
  readonly isSound: boolean;
  readonly files: readonly KnownFile[];
  /** Of a bundle that came by a manifest. */
  readonly custody: Custody | undefined;
  /** When its creation was first asked for. */
  readonly askedOn: number;
  /** As the service said. */
  createdOn?: number;
  /** The container that its URLs write to. */
  readonly landings: Set<string>;
  uploadUrl?: string;
  created: Said;
  submitted: Said;
  canceled: Said;
  erased: Said;
  erasureTaken: Said;
  erasureDueOn?: number;
  /** Other bytes were written after the submit. */
  overwritten: boolean;
  /** Cases that a link to was asked for. */
  readonly linkedTo: Set<string>;
};

/** A change that ends uploads: asked for on, and whether it was acknowledged, and when. */
export type Ending = { readonly askedOn: number; acknowledgedOn?: number };

export type KnownStamp = {
  readonly stampId: string;
  /** Proactive collection was disabled, or a new generation registered. */
  readonly consentEndings: Ending[];
  readonly disablings: Ending[];
  /** From when it was acknowledged that its key is compromised, until anybody asks to enable it. */
  isCompromised: boolean;
  readonly bundles: KnownBundle[];
};

export type KnownCase = {
  readonly caseNumber: string;
  readonly stampIds: Set<string>;
  readonly closings: Ending[];
  readonly boxes: KnownBox[];
  /** Somebody of the case hears of another case's grant. */
  readonly overhear: (foreign: KnownGrant) => void;
};

/** One version of a file that a customer wrote to a drop box, acknowledged. */
export type KnownWrite = {
  readonly path: string;
  readonly writtenOn: number;
  /** What it becomes if it is taken; undefined for an empty file. */
  readonly bundle: KnownBundle | undefined;
};

export type KnownBox = {
  readonly dropBoxId: string;
  /** What its bundles have where others have their stamp's id. */
  readonly stampId: string;
  readonly caseNumber: string;
  created: Said;
  /** That it be closed. */
  closed: Said;
  readonly writes: KnownWrite[];
};

export type KnownGrant = {
  readonly caseNumber: string;
  /** Chosen by its engineer: another case's grant may have the same. */
  readonly grantId: string;
  readonly oid: string;
  readonly bundles: readonly KnownBundle[];
  /** The stamps whose operators have to approve it. */
  readonly approvalOf: Set<string>;
  /** What operators said, by stamp. */
  readonly approved: Map<string, Said>;
  readonly denied: Map<string, Said>;
  /** The engineer hears that it was approved. */
  readonly tell: () => void;
};

/** A grant is known by its case and its id together. */
export const grantKey = ({ caseNumber, grantId }: Pick<KnownGrant, "caseNumber" | "grantId">): string =>
  `${caseNumber}/${grantId}`;

export type IssuedUrl = { readonly url: string; readonly bundle: KnownBundle };

export type Known = {
  readonly stamps: Map<string, KnownStamp>;
  readonly bundles: Map<string, KnownBundle>;
  readonly cases: Map<string, KnownCase>;
  readonly boxes: Map<string, KnownBox>;
  /** By `grantKey`. */
  readonly grants: Map<string, KnownGrant>;
  readonly landings: Map<string, KnownBundle>;
  /** When the newest run of the purge began that went through. */
  purgedOn?: number;
  readonly urls: IssuedUrl[];
  /** JWS of checkpoints that the auditor has kept. */
  readonly checkpoints: { readonly seq: number; readonly jws: string }[];
};

export const nothingKnown = (): Known => ({
  stamps: new Map(),
  bundles: new Map(),
  cases: new Map(),
  boxes: new Map(),
  grants: new Map(),
  landings: new Map(),
  urls: [],
  checkpoints: [],
});

/** Nothing that was asked for before is known to be undone by a refusal, unless every try was heard. */
export const heard = (before: Said, outcome: "done" | "refused" | "unsure"): Said =>
  outcome === "done" ? "acknowledged" : outcome === "refused" ? before : (before ?? "asked");
