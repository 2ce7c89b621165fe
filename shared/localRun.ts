import * as z from "zod";

/** What only a run on one machine may have. The embedded host hands it over in code, so that no setting can bring it into Azure. */
const localRun = z.object({
  /** Days by which the clock of retention, consent and cases is moved. */
  clockOffsetDays: z.number(),
  /** Settings of the host's own making: its file of signing keys, and its token issuer. */
  settings: z.partialRecord(z.enum(["SIGNING_KEY_FILE", "TOKEN_JWKS_URL"]), z.string()),
});
export type LocalRun = z.infer<typeof localRun>;

/** What the embedded host says in the data of its `appStart` hook; Azure's host says nothing there. */
export const localRunIn = (hookData: unknown): LocalRun | undefined =>
  z.object({ localRun: localRun.optional() }).parse(hookData).localRun;

/** What the environment may not say: these were settings once, and whoever sets one means what only the embedded host does. */
export const embeddedHostOnly = ["STAMP_INTAKE_LOCAL", "CLOCK_OFFSET_DAYS"] as const;
