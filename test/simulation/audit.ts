import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { calculateJwkThumbprint } from "jose";
import { z } from "zod";
import { exportLedger } from "../../audit/export.ts";
import { verifyExport } from "../../audit/verify.ts";
import type { Stage } from "../integration/operations/support/stage.ts";
import { eventShape, type LedgerEvent } from "../support/system/shapes.ts";
import type { Simulation } from "./simulation.ts";

/** The auditor, who keeps a checkpoint now and then and at the end verifies an export against each of them. */

const day = 24;
const listed = z.object({ value: z.array(z.object({ seq: z.int(), checkpoint: z.string() })) });

export function employAuditor(simulation: Simulation): void {
  const { known, stage, time } = simulation;
  time.live(async () => {
    for (;;) {
      await time.pass(9 * day);
      const { call } = await stage().person("A");
      const answer = await call("GET", "/compliance/checkpoints", undefined, { query: { top: "1000" } });
      const newest = answer.status === 200 ? listed.parse(answer.json).value.at(-1) : undefined;
      if (newest !== undefined) known.checkpoints.push({ seq: newest.seq, jws: newest.checkpoint });
    }
  });
}

export type Audited = {
  readonly events: readonly LedgerEvent[];
  readonly checkpoints: number;
  readonly faults: readonly string[];
};

/** Exports the ledger as `npm run audit -- export` does and verifies it as the auditor would, with a key and each checkpoint kept. */
export async function auditedEvents({ known, stage }: Simulation): Promise<Audited> {
  const directory = await mkdtemp(join(tmpdir(), "stamp-intake-soak-"));
  const door = await openDoor(stage());
  try {
    const to = join(directory, "export");
    const { token } = await door.stage.person("A");
    const { checkpoints } = await exportLedger({ origin: door.stage.origin, token }, to, false);
    const trusted = await thumbprints(join(to, "keys.json"));
    const faults: string[] = known.checkpoints.length === 0 ? ["the auditor has kept no checkpoint"] : [];
    for (const { seq, jws } of known.checkpoints) {
      const since = join(directory, `checkpoint-${seq}`);
      await writeFile(since, jws);
      await verifyExport(to, { trusted, since }, new Date(), ({ code, place, message }) =>
        faults.push(`audit since ${seq}: ${code} at ${place}: ${message}`),
      );
    }
    const lines = (await readFile(join(to, "events.ndjson"), "utf8")).trimEnd().split("\n");
    return { events: lines.map((line) => eventShape.parse(JSON.parse(line))), checkpoints, faults };
  } finally {
    await door.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

async function thumbprints(file: string): Promise<string[]> {
  const { keys } = keySet.parse(JSON.parse(await readFile(file, "utf8")));
  return await Promise.all(keys.map((key) => calculateJwkThumbprint(key)));
}

/** The same storage, served over HTTP: an export follows the service's own links. */
async function openDoor(inside: Stage) {
  const server = createServer((request, response) => {
    const { method = "GET", url = "/", headers } = request;
    const { authorization = "" } = headers;
    stage
      .send({ method, path: url, headers: { authorization } })
      .then((answer) => response.writeHead(answer.status, answer.headers).end(answer.body))
      .catch(() => response.writeHead(500).end());
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = z.object({ port: z.int() }).parse(server.address());
  const origin = `http://127.0.0.1:${port}`;
  const stage = { ...inside.another({ settings: { PUBLIC_ORIGIN: origin } }), origin };
  return { stage, close: () => new Promise((closed) => server.close(closed)) };
}
