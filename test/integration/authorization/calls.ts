import { carrying, saveBundle } from "../../support/system/imports.ts";
import { forgedToken } from "../../support/system/tokens.ts";
import { type Call, roleNames, type World } from "../../support/system/world.ts";
import type { Caller } from "./callers.ts";
import type { Scene } from "./scene.ts";

/** How each kind of caller sends a request: with the credential that makes it that kind. */
export async function callsOf(scene: Scene): Promise<Readonly<Record<Caller, Call>>> {
  const { world, main, lost, compromised, another, engineers } = scene;
  const auditor = await world.person("A");
  return {
    nobody: world.anonymous,
    stamp: main.stamp.call,
    anotherStamp: another.stamp.call,
    lostStamp: lost.stamp.call,
    compromisedStamp: compromised.stamp.call,
    retiredKey: (method, path, body, options) =>
      main.stamp.call(method, path, body, { ...options, key: scene.retiredKey }),
    carrier: async (method, path, body, options) =>
      carrying(world, await scene.manifestFor(path))(method, path, body, options),
    otherCarrier: carrying(world, (await saveBundle(main.stamp)).manifest),
    registration: (await world.person("R")).call,
    caseSystem: (await world.person("C")).call,
    grantee: engineers.grantee.call,
    colleague: engineers.colleague.call,
    engineerElsewhere: engineers.elsewhere.call,
    engineerNowhere: engineers.nowhere.call,
    auditor: auditor.call,
    noRole: bearing(world, await forgedToken(world, { roles: [] })),
    twoRoles: (await world.person(["C", "E"])).call,
    expiredToken: bearing(world, await expiredToken(world)),
    tokenAndSignature: (method, path, body, options) =>
      main.stamp.call(method, path, body, { ...options, headers: { authorization: `Bearer ${auditor.token}` } }),
  };
}

const bearing =
  (world: World, token: string): Call =>
  (method, path, body, options) =>
    world.anonymous(method, path, body, { ...options, headers: { authorization: `Bearer ${token}` } });

function expiredToken(world: World): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return forgedToken(world, { roles: [roleNames.A], iat: now - 4000, nbf: now - 4000, exp: now - 120 });
}
