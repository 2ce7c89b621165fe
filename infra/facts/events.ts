import { z } from "zod";
import { accountsOf, childrenOf, ofType, types } from "./deployment.ts";
import type { Fact } from "./fact.ts";

/** What is written into a drop box becomes a message. */

const topicOf = z.looseObject({ properties: z.looseObject({ source: z.string() }) });

const boxSubscription = z.looseObject({
  properties: z.looseObject({
    filter: z.looseObject({
      includedEventTypes: z.tuple([z.literal("Microsoft.Storage.BlobCreated")]),
      subjectBeginsWith: z.literal("/blobServices/default/containers/box-"),
    }),
    deliveryWithResourceIdentity: z.looseObject({
      // Behind a firewall Event Grid takes no other kind of identity.
      identity: z.looseObject({ type: z.literal("SystemAssigned") }),
      destination: z.looseObject({
        endpointType: z.literal("StorageQueue"),
        properties: z.looseObject({ resourceId: z.string(), queueName: z.literal("arrivals") }),
      }),
    }),
  }),
});

export const eventFacts: readonly Fact[] = [
  {
    name: "every account of bundles tells the queue arrivals what came into a drop box, and nothing else",
    problems: (deployment) => {
      const queueAccounts = accountsOf.queues(deployment).map(({ id }) => id);
      return accountsOf.bundles(deployment).flatMap((account) => {
        const topic = ofType(deployment, types.topic).find(
          (one) => topicOf.safeParse(one).data?.properties.source === account.id,
        );
        if (topic === undefined) return [`${account.name}: has no topic`];
        const subscriptions = childrenOf(deployment, topic, types.subscription);
        const parsed = subscriptions.map((one) => boxSubscription.safeParse(one).data?.properties);
        const goesToUs = parsed.every((one) =>
          queueAccounts.includes(one?.deliveryWithResourceIdentity.destination.properties.resourceId ?? ""),
        );
        return subscriptions.length === 1 && goesToUs
          ? []
          : [`${account.name}: needs one subscription of drop boxes that goes to the queue arrivals`];
      });
    },
  },
];
