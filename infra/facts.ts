import { accessFacts } from "./facts/access.ts";
import { accountFacts } from "./facts/accounts.ts";
import { appFacts } from "./facts/app.ts";
import type { Fact } from "./facts/fact.ts";
import { retentionFacts } from "./facts/retention.ts";

/** What `npm run infra:check` holds the compiled infrastructure to. */
export const facts: readonly Fact[] = [...accountFacts, ...retentionFacts, ...appFacts, ...accessFacts];
