import { z } from "zod";
import { accountsOf, types } from "./deployment.ts";
import { every, everyHas, type Fact } from "./fact.ts";

/** What is true of every storage account. */

const properties = <T extends z.ZodRawShape>(shape: T) => z.looseObject({ properties: z.looseObject(shape) });
const off = z.looseObject({ enabled: z.literal(false) });

export const accountFacts: readonly Fact[] = [
  {
    name: "no account takes a shared key",
    problems: every(types.account, properties({ allowSharedKeyAccess: z.literal(false) })),
  },
  {
    name: "every account speaks HTTPS only, TLS 1.2 at least",
    problems: every(
      types.account,
      properties({ supportsHttpsTrafficOnly: z.literal(true), minimumTlsVersion: z.enum(["TLS1_2", "TLS1_3"]) }),
    ),
  },
  {
    name: "no account shows a blob to the public, or copies to another tenant",
    problems: every(
      types.account,
      properties({ allowBlobPublicAccess: z.literal(false), allowCrossTenantReplication: z.literal(false) }),
    ),
  },
  {
    name: "no account has a far copy",
    problems: every(
      types.account,
      z.looseObject({ sku: z.looseObject({ name: z.enum(["Standard_LRS", "Standard_ZRS"]) }) }),
    ),
  },
  {
    name: "a delete is a delete: no soft delete, versions, change feed or restore in any account",
    problems: everyHas(
      types.account,
      "blobServices/default",
      properties({
        deleteRetentionPolicy: off,
        containerDeleteRetentionPolicy: off,
        isVersioningEnabled: z.literal(false),
        changeFeed: off,
        restorePolicy: off,
      }),
    ),
  },
  {
    name: "the verification queue and its poison queue are there",
    problems: (deployment) => {
      const [account] = accountsOf.queues(deployment);
      if (account === undefined) return ["StateStorage__queueServiceUri names no account of this deployment"];
      return ["verify", "verify-poison"]
        .filter((queue) => !deployment.some((one) => one.id === `${account.id}/queueServices/default/queues/${queue}`))
        .map((queue) => `${account.name}: has no queue ${queue}`);
    },
  },
];
