import { expect } from "vitest";
import type { Answer } from "./http.ts";
import { readAll, type World } from "./world.ts";

/** Proof that a refusal lost nothing and did nothing: everything that an auditor can read, before and after. */

type Subject = { readonly partition: string; readonly path: string };

/** What the service holds of these stamps and cases, ledger and all. */
async function stateOf(world: World, subjects: readonly Subject[]): Promise<unknown> {
  const { call } = await world.person("A");
  const get = async (path: string) => {
    const { status, text } = await call("GET", path);
    return { status, body: status === 200 ? JSON.parse(text) : undefined };
  };
  return Promise.all(
    subjects.map(async ({ partition, path }) => ({
      resource: await get(path),
      events: await world.events(partition),
      ...(path.startsWith("/stamps/")
        ? {
            consent: await get(`${path}/consents/proactiveCollection`),
            bundles: (await get(path)).status === 200 ? await readAll(call, `${path}/bundles`) : [],
          }
        : { grants: await get(`${path}/accessGrants`), bundles: await get(`${path}/bundles`) }),
    })),
  );
}

/** Runs `act` and fails where it changed anything of these stamps and cases. Gives what `act` gave. */
export async function unchanged<T extends Answer | readonly Answer[] | undefined>(
  world: World,
  subjects: Subject | readonly Subject[],
  act: () => Promise<T>,
): Promise<T> {
  const watched = "path" in subjects ? [subjects] : subjects;
  const before = await stateOf(world, watched);
  const result = await act();
  expect(await stateOf(world, watched)).toEqual(before);
  return result;
}
