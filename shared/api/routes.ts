import { bundleRoutes } from "./routes/bundles.ts";
import { caseRoutes } from "./routes/cases.ts";
import { complianceRoutes } from "./routes/compliance.ts";
import { dropBoxRoutes } from "./routes/dropBoxes.ts";
import { importRoutes } from "./routes/imports.ts";
import { peopleRoutes } from "./routes/people.ts";
import { publicRoutes } from "./routes/public.ts";
import { stampRoutes } from "./routes/stamps.ts";

/** The whole contract as one table (`API.md`, the operations). A function, its document and its authorization come from here. */
export const routes = {
  ...stampRoutes,
  ...bundleRoutes,
  ...importRoutes,
  ...caseRoutes,
  ...dropBoxRoutes,
  ...complianceRoutes,
  ...peopleRoutes,
  ...publicRoutes,
};

export type OperationId = keyof typeof routes;
