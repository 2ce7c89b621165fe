import { createHash } from "node:crypto";
import { november2026 } from "./2026-11-01.ts";

/** The consent texts. A new wording is a new version in a file of its own, put first here; a published one never changes. */

export type Terms = {
  /** Date of publication; what `termsVersion` names. */
  readonly version: string;
  /** Lower-case hex SHA-256 of the text's UTF-8 bytes; what a receipt names as `termsSha256`. */
  readonly sha256: string;
  /** Plain text, lines ending in LF. */
  readonly text: string;
  /** Whether a consent can be given to these terms: true of one version. */
  readonly current: boolean;
};

const published = [november2026] as const;

const toTerms = ({ version, text }: { readonly version: string; readonly text: string }, current: boolean): Terms => ({
  version,
  sha256: createHash("sha256").update(text, "utf8").digest("hex"),
  text,
  current,
});

const [newest, ...earlier] = published;

/** The terms that a consent must name. */
export const currentTerms: Terms = toTerms(newest, true);

/** Every version ever published, newest first. */
export const terms: readonly Terms[] = [currentTerms, ...earlier.map((one) => toTerms(one, false))];
