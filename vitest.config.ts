import { defineConfig } from "vitest/config";

/** No log line of any test may hold a secret. */
const setupFiles = ["test/support/secrets.setup.ts"];

/** Unit tests are pure; integration and system tests share one Azurite, started on free ports by the run itself. */
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], setupFiles, testTimeout: 60_000 } },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts"],
          setupFiles,
          globalSetup: ["test/support/azurite.setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "system",
          // Each file runs a service of its own, with storage of its own beside it.
          maxWorkers: 2,
          include: ["test/system/**/*.test.ts"],
          setupFiles,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
    ],
  },
});
