import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { UsageError } from "../failure.ts";
import { bytesPerSecondOf, rateLimiter } from "../rateLimit.ts";
import { type Exchange, openLine } from "../transport.ts";
import { typedPath } from "./paths.ts";

/** The line of a command: what `--ca` and `--limit-rate` say, and the proxy that the environment names. */

export type LineFlags = {
  /** Path of a PEM file, from where the command was typed. */
  readonly ca: string | undefined;
  readonly limitRate: string | undefined;
};

/** Opens it. `keptCa` is the certificate file of the profile, for when `--ca` names none. Throws `UsageError` for what cannot be. */
export async function openCommandLine({ ca, limitRate }: LineFlags, keptCa: string | undefined): Promise<Exchange> {
  const caFile = ca === undefined ? keptCa : typedPath(ca);
  const trusted = caFile === undefined ? undefined : await certificates(caFile);
  const limiter = limitRate === undefined ? undefined : rateLimiter(rateOf(limitRate));
  try {
    return openLine({ ca: trusted, limiter });
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message);
    throw error;
  }
}

function rateOf(text: string): number {
  const rate = bytesPerSecondOf(text);
  if (rate !== undefined) return rate;
  throw new UsageError(`--limit-rate: ${text} is no rate; 500k and 5m are bytes a second, 4mbit is bits a second`);
}

async function certificates(path: string): Promise<string> {
  const pem = await readFile(path, "utf8").catch(() => {
    throw new UsageError(`--ca: ${path} cannot be read: check the path and its permissions`);
  });
  if (isPem(pem)) return pem;
  throw new UsageError(`--ca: ${path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)`);
}

function isPem(text: string): boolean {
  try {
    createSecureContext({ ca: text });
    return text.includes("BEGIN CERTIFICATE");
  } catch {
    return false;
  }
}
