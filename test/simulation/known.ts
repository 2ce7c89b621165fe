/** What those outside the service know of it: what they asked for, and what they were told. The service's answers are judged by it. */

/** Asked for, whatever came of it; or acknowledged as well. Undefined: never asked for, or surely refused. */
export type Said = "asked" | "acknowledged" | undefined;

export type KnownBundle = {
  readonly stampId: string;
  readonly bundleId: string;
  readonly mode: "proactive" | "sendNow" | "savedLocally";
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly isZip: boolean;
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
  readonly bundles: KnownBundle[];
};

export type KnownCase = { readonly caseNumber: string; readonly stampIds: Set<string>; readonly closings: Ending[] };

export type IssuedUrl = { readonly url: string; readonly bundle: KnownBundle };

export type Known = {
  readonly stamps: Map<string, KnownStamp>;
  readonly bundles: Map<string, KnownBundle>;
  readonly cases: Map<string, KnownCase>;
  readonly landings: Map<string, KnownBundle>;
  readonly urls: IssuedUrl[];
  /** JWS of checkpoints that the auditor has kept. */
  readonly checkpoints: { readonly seq: number; readonly jws: string }[];
};

export const nothingKnown = (): Known => ({
  stamps: new Map(),
  bundles: new Map(),
  cases: new Map(),
  landings: new Map(),
  urls: [],
  checkpoints: [],
});

/** Nothing that was asked for before is known to be undone by a refusal, unless every try was heard. */
export const heard = (before: Said, outcome: "done" | "refused" | "unsure"): Said =>
  outcome === "done" ? "acknowledged" : outcome === "refused" ? before : (before ?? "asked");
