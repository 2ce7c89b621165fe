import { accessFacts } from "./facts/access.ts";
import { accountFacts } from "./facts/accounts.ts";
import { appFacts, completenessFacts } from "./facts/app.ts";
import { eventFacts } from "./facts/events.ts";
import type { Fact } from "./facts/fact.ts";
import { retentionFacts } from "./facts/retention.ts";
import { watchingFacts } from "./facts/watching.ts";

/** What `npm run infra:check` holds every deployment to. */
export const facts: readonly Fact[] = [
  ...accountFacts,
  ...retentionFacts,
  ...appFacts,
  ...eventFacts,
  ...accessFacts,
  ...watchingFacts,
];

/** What it holds the deployment of check.bicepparam to besides, which says everything that can be said. */
export const factsOfAll: readonly Fact[] = [...facts, ...completenessFacts];
