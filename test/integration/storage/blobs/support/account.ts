import { randomInt, randomUUID } from "node:crypto";
import type { PipelinePolicy } from "@azure/core-rest-pipeline";
import { BlobServiceClient } from "@azure/storage-blob";
import { inject } from "vitest";
import { type BundleLocation, landingContainerName } from "../../../../../shared/domain/containers.ts";
import { addDays, type UtcDay, utcDay } from "../../../../../shared/domain/utcDay.ts";
import { type BundleAccount, openBundleAccount } from "../../../../../shared/storage/blobs/account.ts";

export type TestAccount = {
  readonly account: BundleAccount;
  /** The calls that the account made, oldest first. */
  readonly calls: readonly string[];
  /** Storage itself, with all rights: what a test arranges and looks at past the account. */
  readonly storage: BlobServiceClient;
};

export type Options = {
  readonly now?: () => Date;
  /** Where the account looks for storage instead of where it is. */
  readonly port?: number;
};

/** The account under test, over the run's own Azurite. */
export function openTestAccount({ port, ...options }: Options = {}): TestAccount {
  const connectionString = inject("storageConnectionString");
  const storage = BlobServiceClient.fromConnectionString(connectionString);
  const counter = countCalls();
  const account = openBundleAccount({
    name: storage.accountName,
    connectionString:
      port === undefined ? connectionString : connectionString.replace(new URL(storage.url).host, `127.0.0.1:${port}`),
    policies: [counter.policy],
    ...options,
  });
  return { account, calls: counter.calls, storage };
}

/** A policy that notes every try of every call. */
export function countCalls(): { readonly policy: PipelinePolicy; readonly calls: string[] } {
  const calls: string[] = [];
  const policy: PipelinePolicy = {
    name: "countCalls",
    sendRequest: (request, next) => {
      const { pathname, searchParams } = new URL(request.url);
      calls.push([request.method, searchParams.get("comp"), pathname].filter((part) => part !== null).join(" "));
      return next(request);
    },
  };
  return { policy, calls };
}

/** A landing container's name that no other test has. */
export const newLandingName = (): string =>
  landingContainerName(newDay(), { stampId: randomUUID(), bundleId: randomUUID(), attempt: randomUUID() });

/** A day that no other test uses: tests share one storage, and a day is dropped whole. */
export const newDay = (): UtcDay => addDays(utcDay(new Date("2300-01-01T00:00:00Z")), randomInt(2_500_000));

export const newLocation = (day: UtcDay = newDay()): BundleLocation => ({
  day,
  stampId: randomUUID(),
  bundleId: randomUUID(),
});

export const inMinutes = (minutes: number): Date => new Date(Date.now() + minutes * 60_000);
