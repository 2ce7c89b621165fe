/** Signed papers. */

export type PaperType = "consent-receipt+jwt" | "deletion-certificate+jwt" | "checkpoint+jwt";

export type Papers = { readonly sign: (typ: PaperType, claims: Record<string, unknown>) => Promise<string> };
