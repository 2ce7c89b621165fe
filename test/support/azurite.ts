import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import {
  azuriteArguments,
  azuriteEntry,
  connectionString,
  listeningEndpoints,
  type StorageEndpoints,
} from "../../local/azuriteProcess.ts";

/** Azurite's published account; its key is no secret. */
export const testAccount = {
  name: "devstoreaccount1",
  key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
} as const;

export type TestAzurite = {
  readonly connectionString: string;
  readonly endpoints: StorageEndpoints;
  readonly stop: () => Promise<void>;
};

/** Azurite ends itself when the test run that started it is gone, however it went. */
const endWithParent = `data:text/javascript,process.on("disconnect",()=>process.exit())`;

/**
 * Starts an Azurite in memory on free ports, with the account of that name.
 * `https` (paths of PEM files) serves TLS and takes Entra tokens (`--oauth basic`), for the user-delegation path.
 */
export async function startTestAzurite(
  options: { https?: { cert: string; key: string }; name?: string } = {},
): Promise<TestAzurite> {
  const account = { ...testAccount, ...(options.name === undefined ? {} : { name: options.name }) };
  const tls = options.https ? ["--cert", options.https.cert, "--key", options.https.key, "--oauth", "basic"] : [];
  const child = spawn(
    process.execPath,
    ["--import", endWithParent, azuriteEntry(), ...azuriteArguments, "--inMemoryPersistence", ...tls],
    {
      cwd: tmpdir(),
      env: {
        ...process.env,
        ...(options.name === undefined ? {} : { AZURITE_ACCOUNTS: `${account.name}:${account.key}` }),
      },
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    },
  );
  const exited = once(child, "exit");
  let output = "";
  const endpoints = await new Promise<StorageEndpoints>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk.toString("utf8");
      const found = listeningEndpoints(output, account.name);
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", (code) => reject(new Error(`Azurite ended with ${code} before it listened:\n${output}`)));
  });
  return {
    connectionString: connectionString(account, endpoints),
    endpoints,
    stop: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
