import { randomInt, randomUUID } from "node:crypto";
import { expectStatus } from "./expectations.ts";
import type { Answer } from "./http.ts";
import { type Case, caseShape, type Grant, grantShape, issuedUrlShape } from "./shapes.ts";
import type { Person, World } from "./world.ts";

/** A support case, the engineer on it, and what both can do. */

type Fields = Readonly<Record<string, unknown>>;
export type BundleName = { readonly stampId: string; readonly bundleId: string };
export type CaseOptions = {
  readonly caseNumber?: string;
  readonly stampIds?: readonly string[];
  /** Those assigned; without them a new engineer is. */
  readonly engineers?: readonly Person[];
  readonly fields?: Fields;
};

export type CaseActor = {
  readonly caseNumber: string;
  /** `/cases/{caseNumber}` */
  readonly path: string;
  readonly partition: string;
  /** The first of those assigned. */
  readonly engineer: Person;
  /** Sends the case again with the next revision and these changes; changes stay for the next time. */
  readonly put: (changes?: Fields) => Promise<Answer>;
  readonly close: () => Promise<Case>;
  readonly reopen: () => Promise<Case>;
  readonly view: () => Promise<Case>;
  readonly linkPath: (bundle: BundleName) => string;
  readonly link: (bundle: BundleName, by?: Person) => Promise<Answer>;
  readonly unlink: (bundle: BundleName, by?: Person) => Promise<Answer>;
  /** A valid body of a grant. */
  readonly grantRequest: (bundles: readonly BundleName[], changes?: Fields) => Fields;
  readonly grant: (bundles: readonly BundleName[], changes?: Fields, by?: Person) => Promise<Grant>;
  /** `:issueUrl`, as its answer. */
  readonly issueUrl: (grantId: string, bundle: BundleName, by?: Person) => Promise<Answer>;
  /** The URL itself. */
  readonly url: (grantId: string, bundle: BundleName, by?: Person) => Promise<string>;
};

export const newCaseNumber = (): string => `2411${Array.from({ length: 12 }, () => randomInt(10)).join("")}`;

/** Pushes a new open case and gives its actor. */
export async function openCase(world: World, options: CaseOptions = {}): Promise<CaseActor> {
  const { caseNumber = newCaseNumber(), stampIds = [], fields = {} } = options;
  const engineers = options.engineers ?? [await world.engineer()];
  const [engineer] = engineers;
  if (engineer === undefined) throw new Error("A case needs an engineer here.");
  const path = `/cases/${caseNumber}`;
  let body: Fields = {
    revision: 0,
    kind: "support",
    state: "open",
    stampIds,
    assignees: engineers.map(({ oid }) => oid),
    ...fields,
  };

  const put = async (changes: Fields = {}): Promise<Answer> => {
    body = { ...body, revision: Number(body.revision) + 1, ...changes };
    return (await world.person("C")).call("PUT", path, body);
  };
  const putState = async (state: string): Promise<Case> =>
    caseShape.parse(expectStatus(await put({ state }), 200).json);
  const linkPath = ({ stampId, bundleId }: BundleName) => `${path}/stamps/${stampId}/bundles/${bundleId}`;

  const actor: CaseActor = {
    caseNumber,
    path,
    partition: `cases/${caseNumber}`,
    engineer,
    put,
    close: () => putState("closed"),
    reopen: () => putState("open"),
    view: async () => caseShape.parse(expectStatus(await engineer.call("GET", path), 200).json),
    linkPath,
    link: (bundle, by = engineer) => by.call("PUT", linkPath(bundle)),
    unlink: (bundle, by = engineer) => by.call("DELETE", linkPath(bundle)),
    grantRequest: (bundles, changes = {}) => ({
      bundles: bundles.map(({ stampId, bundleId }) => ({ stampId, bundleId })),
      purpose: "troubleshooting",
      justification: "The update failed and the customer waits.",
      durationMinutes: 60,
      ...changes,
    }),
    grant: async (bundles, changes = {}, by = engineer) => {
      const answer = await by.call("PUT", `${path}/accessGrants/${randomUUID()}`, actor.grantRequest(bundles, changes));
      return grantShape.parse(expectStatus(answer, 201).json);
    },
    issueUrl: (grantId, { stampId, bundleId }, by = engineer) =>
      by.call("POST", `${path}/accessGrants/${grantId}:issueUrl`, { stampId, bundleId }),
    url: async (grantId, bundle, by = engineer) =>
      issuedUrlShape.parse(expectStatus(await actor.issueUrl(grantId, bundle, by), 200).json).url,
  };
  expectStatus(await put(), 201);
  return actor;
}
