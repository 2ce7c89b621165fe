import { createLocalJWKSet, jwtVerify } from "jose";
import type { PaperSigner, PaperType } from "./papers.ts";

/** What a paper claims that one of the service's own keys signed; throws for any other. Whether its time is over is not asked: papers are kept for years. */
export const paperOpener =
  ({ publicKeys }: Pick<PaperSigner, "publicKeys">) =>
  async (typ: PaperType, jws: string): Promise<unknown> =>
    (await jwtVerify(jws, createLocalJWKSet(await publicKeys()), { typ, algorithms: ["ES256"] })).payload;
