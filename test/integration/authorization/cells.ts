import { type OperationId, routes } from "../../../shared/api/routes.ts";
import { type Caller, callerNames, callers } from "./callers.ts";
import { verdictOf } from "./rules.ts";
import { type Situation, situationsOf } from "./situations.ts";
import { describe } from "./words.ts";

/** One cell of the matrix: a route, a caller, a situation, and what the contract answers. */
export type Cell = {
  readonly operationId: OperationId;
  readonly verb: string;
  readonly path: string;
  readonly caller: Caller;
  readonly situation: Situation;
  readonly verdict: string;
};

export const operationIds = Object.keys(routes).filter((id): id is OperationId => id in routes);

/** Every route of the contract × every kind of caller × every situation that can exist. */
export const cells: readonly Cell[] = operationIds.flatMap((operationId) => {
  const { verb, path } = routes[operationId];
  return situationsOf(operationId, verb, path).flatMap((situation) =>
    callerNames.map((caller) => ({
      operationId,
      verb,
      path,
      caller,
      situation,
      verdict: verdictOf(operationId, { caller, verb, situation }),
    })),
  );
});

export const isRefused = ({ verdict }: Cell): boolean => !verdict.startsWith("2");

/** Names the cell among those of its route. */
export const labelOf = ({ caller, situation }: Cell): string =>
  `${callers[caller]}: ${describe(situation) || "always"}`;
