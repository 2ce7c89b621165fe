import { randomBytes } from "node:crypto";
import { startTestAzurite, testAccount } from "../../../support/azurite.ts";

/**
 * Storage of a test's own. The service's tables have fixed names and its timers work on all that is due, so tests that run timers or
 * move the clock share no account. An account is a name that Azurite was started with: a new one costs nothing.
 */
export type Accounts = {
  /** Connection string of an account that nobody has used. */
  readonly next: () => string;
  readonly stop: () => Promise<void>;
};

const most = 200;

export async function startAccounts(): Promise<Accounts> {
  const key = randomBytes(32).toString("base64");
  const names = Array.from({ length: most }, (_, index) => `account${String(index).padStart(4, "0")}`);
  process.env.AZURITE_ACCOUNTS = names.map((name) => `${name}:${key}`).join(";");
  const starting = startTestAzurite();
  delete process.env.AZURITE_ACCOUNTS;
  const azurite = await starting;
  return {
    next: () => {
      const name = names.shift();
      if (name === undefined) throw new Error(`A test file has at most ${most} accounts`);
      return azurite.connectionString.replaceAll(testAccount.name, name).replace(testAccount.key, key);
    },
    stop: azurite.stop,
  };
}
