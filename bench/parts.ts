import { measureAudit } from "./audit.ts";
import { measureBadLines } from "./badLines.ts";
import { measureCrowd } from "./crowd.ts";
import { measureFiles } from "./files.ts";
import { measureLoading } from "./loading.ts";
import { measureMemory } from "./memory.ts";
import { countPurge } from "./purge.ts";
import { countRetention } from "./retention.ts";
import { countRoundTrips } from "./roundTrips.ts";
import type { Sizes } from "./sizes.ts";
import type { Stage } from "./stage.ts";
import type { Row } from "./table.ts";
import { measureUpload } from "./upload.ts";
import { measureVerification } from "./verification.ts";

/** What a part is given: a service of the run's own, how much to measure, and where to tell of it. */
export type Setting = {
  readonly stage: Stage;
  readonly undo: AsyncDisposableStack;
  readonly sizes: Sizes;
  readonly say: (line: string) => void;
};

/** What can be measured by itself, each a table of its own in `docs/performance.md`, in the order of that page. */
export const parts: Readonly<Record<string, (setting: Setting) => Promise<readonly Row[]>>> = {
  upload: ({ stage, sizes, say }) => measureUpload(stage, sizes, say),
  lines: ({ stage, sizes, say }) => measureBadLines(stage, sizes, say),
  verification: ({ stage, sizes, say }) => measureVerification(stage, sizes, say),
  memory: ({ stage, sizes, say }) => measureMemory(stage, sizes, say),
  roundTrips: ({ undo, say }) => countRoundTrips(undo, say),
  files: ({ undo, sizes, say }) => measureFiles(undo, sizes, say),
  crowd: ({ stage, sizes, say }) => measureCrowd(stage, sizes, say),
  loading: ({ undo, sizes, say }) => measureLoading(undo, sizes, say),
  purge: ({ undo, sizes, say }) => countPurge(undo, sizes, say),
  retention: ({ undo, sizes, say }) => countRetention(undo, sizes, say),
  audit: ({ undo, sizes, say }) => measureAudit(undo, sizes, say),
};
