import type { TestProject } from "vitest/node";
import { startTestAzurite } from "./azurite.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Connection string of the run's one Azurite: `inject("storageConnectionString")`. Name what you make uniquely. */
    storageConnectionString: string;
  }
}

/** One Azurite in memory for all integration tests of a run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const azurite = await startTestAzurite();
  project.provide("storageConnectionString", azurite.connectionString);
  return azurite.stop;
}
