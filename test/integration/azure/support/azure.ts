import { afterAll, beforeAll } from "vitest";
import { type IdentityEndpoint, startIdentityEndpoint } from "../../../support/azure/identityEndpoint.ts";
import { type ResourceManager, startResourceManager } from "../../../support/azure/resourceManager.ts";
import { tls, tlsFiles, trustTestCertificate } from "../../../support/azure/tls.ts";
import { startTestAzurite, type TestAzurite } from "../../../support/azurite.ts";
import { type Stage, useStages } from "../../operations/support/stage.ts";

/**
 * The service as Azure has it: HTTPS everywhere, an identity in place of every key, the state in one account and bundles in others, each a
 * storage of its own. Storage is Azurite, tokens come from a managed identity's endpoint that nobody signs for, and only what Resource Manager
 * would answer is made up.
 */
export type Azure = {
  /** The app with these bundle accounts, as many days later as `days` says. */
  readonly stage: (options: { readonly accounts: readonly AccountEntry[]; readonly days?: number }) => Stage;
  readonly state: TestAzurite;
  readonly account: (name: string) => TestAzurite;
  readonly identity: IdentityEndpoint;
  readonly resourceManager: ResourceManager;
};

/** An entry of BUNDLE_ACCOUNTS, but for where it is. */
export type AccountEntry = {
  readonly name: string;
  readonly geographies?: readonly string[];
  readonly draining?: boolean;
};

export const clientId = "5f0c1d0e-6b64-4f0a-9c57-2b1f9f7f3c12";
const dayMs = 86_400_000;

/** Call it at the top of a test file, with the names of the storages that are to be there. */
export function useAzure(names: readonly string[]): () => Azure {
  const stages = useStages(tls);
  const accounts = new Map<string, TestAzurite>();
  const ended: (() => unknown)[] = [];
  let azure: Azure | undefined;

  beforeAll(async () => {
    ended.push(trustTestCertificate());
    const identity = await startIdentityEndpoint();
    ended.push(identity.stop);
    Object.assign(process.env, identity.environment);
    const resourceManager = await startResourceManager();
    ended.push(resourceManager.stop);
    const start = async (name: string) => {
      const azurite = await startTestAzurite({ name, https: tlsFiles });
      ended.push(azurite.stop);
      return azurite;
    };
    const state = await start("state");
    for (const name of names) accounts.set(name, await start(name));
    const account = (name: string): TestAzurite => {
      const found = accounts.get(name);
      if (found === undefined) throw new Error(`There is no storage ${name}`);
      return found;
    };
    azure = {
      state,
      account,
      identity,
      resourceManager,
      stage: ({ accounts: entries, days = 0 }) =>
        stages({
          settings: {
            StateStorage: "",
            APP_ROLE: "all",
            PUBLIC_ORIGIN: "https://intake.test",
            StateStorage__tableServiceUri: state.endpoints.table,
            StateStorage__queueServiceUri: state.endpoints.queue,
            StateStorage__credential: "managedidentity",
            StateStorage__clientId: clientId,
            RESOURCE_MANAGER_ENDPOINT: resourceManager.endpoint,
            BUNDLE_ACCOUNTS: JSON.stringify(
              entries.map((entry) => ({
                ...entry,
                blobEndpoint: account(entry.name).endpoints.blob,
                resourceId: resourceManager.idOf(entry.name),
              })),
            ),
          },
          now: () => new Date(Date.now() + days * dayMs),
        }),
    };
  });

  afterAll(async () => {
    for (const end of ended.reverse()) await end();
    delete process.env.IDENTITY_ENDPOINT;
    delete process.env.IDENTITY_HEADER;
  });

  return () => {
    if (azure === undefined) throw new Error("Azure is there inside a test");
    return azure;
  };
}
