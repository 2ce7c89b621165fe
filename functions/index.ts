/** Every registration: what the Functions host loads. */
import "./http/accessGrants.ts";
import "./http/bundles.ts";
import "./http/cases.ts";
import "./http/compliance.ts";
import "./http/consents.ts";
import "./http/imports.ts";
import "./http/people.ts";
import "./http/public.ts";
import "./http/stamps.ts";
import "./http/zzUnknown.ts";
import "./queue/verify.ts";
import "./timer/foldLedger.ts";
import "./timer/forgetOld.ts";
import "./timer/purgeDue.ts";
import "./timer/reconcile.ts";
import "./timer/sealCheckpoint.ts";
import "./timer/sweepUnfinished.ts";
