import { CompactSign } from "jose";
import { expectStatus } from "../support/system/expectations.ts";
import type { Answer } from "../support/system/http.ts";
import { makeKey, type StampKey } from "../support/system/signing.ts";
import { registrationOf, type StampActor, stampActor } from "../support/system/stamp.ts";
import { answerRequests, decideOnApproval } from "./approving.ts";
import type { Chance } from "./chance.ts";
import { sendBundle } from "./journey.ts";
import type { Ending, KnownStamp } from "./known.ts";
import { heardOf, insist, type Simulation, streamOf } from "./simulation.ts";

/** The stamps: each sends bundles, its operator decides on consent, and it is registered again, disabled, and given new keys. */

export type Member = {
  readonly known: KnownStamp;
  /** Speaks as the stamp, with the key that it has now. */
  readonly actor: () => StampActor;
  readonly call: StampActor["call"];
  /** The key that it signs with, and whether it surely may: a rotation under way may have retired it already. */
  readonly signing: () => { readonly key: StampKey; readonly isInForce: boolean };
};

const nobodyKnew = { kind: "EC" } as const;

export async function joinFleet(simulation: Simulation, index: number): Promise<Member> {
  const { time, size, known } = simulation;
  const chance = streamOf(simulation, `stamp ${index}`);
  const stamp: KnownStamp = {
    stampId: chance.guid(),
    consentEndings: [],
    disablings: [],
    isCompromised: false,
    bundles: [],
  };
  known.stamps.set(stamp.stampId, stamp);
  const keys = openKeys();
  const actor = () => stampActor(simulation.stage(), { stampId: stamp.stampId, key: keys.current() });
  const member: Member = {
    known: stamp,
    actor,
    call: async (method, path, body) => {
      const used = keys.current();
      const answer = await actor().call(method, path, body);
      // It rotated meanwhile, or did and was not told.
      const isRetired = answer.headers["x-ms-error-code"] === "KeyRetired" && keys.another(used);
      return isRetired ? await actor().call(method, path, body) : answer;
    },
    signing: () => ({ key: keys.current(), isInForce: keys.underWay() === undefined }),
  };
  const office = registrationOffice(simulation, member, chance, keys);
  expectStatus(await office.register(), 201);

  const every = (name: string, meanHours: number, act: (chance: Chance) => Promise<void>) =>
    time.live(async () => {
      const own = streamOf(simulation, `stamp ${index} ${name}`);
      for (;;) {
        await time.pass(own.hours(meanHours));
        await act(own);
      }
    });
  const day = 24;
  let sent = 0;
  every("sends", (size.days * day * size.stamps) / size.bundles, async () => {
    sent += 1;
    const journey = streamOf(simulation, `bundle ${index}/${sent}`);
    time.live(() => sendBundle(simulation, member, journey));
  });
  every("decides", 5 * day, (own) => decide(simulation, member, own));
  every("decides on approval", 12 * day, (own) => decideOnApproval(simulation, member, own));
  every("answers", 2.5 * day, (own) => answerRequests(simulation, member, own));
  every("rotates", 30 * day, (own) => rotate(simulation, member, own, keys));
  every("registers again", 35 * day, office.registerAgain);
  every("is disabled", 50 * day, office.disableForAWhile);
  return member;
}

type Keys = ReturnType<typeof openKeys>;

/** Between a rotation's request and its answer either key may be the one that counts. */
function openKeys() {
  let current = makeKey(nobodyKnew.kind);
  let next: StampKey | undefined;
  const all = [current];
  return {
    current: () => current,
    /** All that it ever signed with, or may have. */
    all: () => all,
    underWay: () => next,
    rotating: (key: StampKey) => {
      if (!all.includes(key)) all.push(key);
      next = key;
    },
    rotated: (key: StampKey) => {
      current = key;
      next = undefined;
    },
    /** Goes on to the other key where `used` is retired; false where there is none. */
    another: (used: StampKey): boolean => {
      if (current !== used) return true;
      if (next === undefined) return false;
      [current, next] = [next, undefined];
      return true;
    },
  };
}

async function decide(simulation: Simulation, { known, call }: Member, chance: Chance): Promise<void> {
  const state = chance.happens(0.7) ? "enabled" : "disabled";
  const said = {
    state,
    decidedBy: `operator-${chance.below(3)}@contoso.example`,
    termsVersion: await simulation.stage().currentTerms(),
    ...(chance.happens(0.2) ? { purposes: ["troubleshooting"] } : {}),
  };
  const path = `/stamps/${known.stampId}/consents/proactiveCollection`;
  const ending = state === "disabled" ? ask(simulation, known.consentEndings) : undefined;
  const outcome = await insist(simulation, chance, `consent ${state}`, () => call("PUT", path, said), [
    "StampDisabled",
  ]);
  settle(simulation, known.consentEndings, ending, heardOf(outcome));
}

function ask({ time }: Simulation, endings: Ending[]): Ending {
  const ending: Ending = { askedOn: time.now().getTime() };
  endings.push(ending);
  return ending;
}

function settle(
  { time }: Simulation,
  endings: Ending[],
  ending: Ending | undefined,
  outcome: "done" | "refused" | "unsure",
): void {
  if (ending === undefined) return;
  if (outcome === "done") ending.acknowledgedOn = time.now().getTime();
  if (outcome === "refused") endings.splice(endings.indexOf(ending), 1);
}

async function rotate(simulation: Simulation, { known, call }: Member, chance: Chance, keys: Keys): Promise<void> {
  // One that was given up is taken up again: nobody was told whether it was done.
  const key = keys.underWay() ?? makeKey(chance.pick(["EC", "OKP"] as const));
  const { keyId, jwk } = key;
  const proof = await new CompactSign(Buffer.from(JSON.stringify({ stampId: known.stampId, keyId })))
    .setProtectedHeader({ alg: key.kind === "EC" ? "ES256" : "EdDSA" })
    .sign(key.privateKey);
  const retiring = chance.happens(0.5) ? { retireCurrentOn: new Date().toISOString() } : {};
  const send = () => call("POST", `/stamps/${known.stampId}:rotateKey`, { keyId, jwk, proof, ...retiring });
  keys.rotating(key);
  const outcome = await insist(simulation, chance, "rotateKey", send, ["StampDisabled", "KeyConflict"]);
  if (outcome.kind === "done") keys.rotated(key);
}

/** What registration says of the stamp. */
function registrationOffice(simulation: Simulation, member: Member, chance: Chance, { current, all }: Keys) {
  const { known } = member;
  const keys = [current()];
  let registration = registrationOf(keys, { registrationResourceId: resourceId(chance), deploymentId: chance.guid() });
  const registrar = () => simulation.stage().person("R");
  const put = async (): Promise<Answer> => (await registrar()).call("PUT", `/stamps/${known.stampId}`, registration);

  const changeAndRegister = async (own: Chance) => {
    if (own.happens(0.3) && keys.length < 3) keys.push(makeKey());
    // It may vouch for no key but the present one: the others stop, what they signed stands.
    if (own.happens(0.3)) keys.splice(0, keys.length, current());
    await registerAgain(own);
  };

  /** Ends consent, and with it the proactive uploads under way. */
  const registerAgain = async (own: Chance) => {
    registration = {
      ...registration,
      registrationResourceId: resourceId(own),
      keys: keys.map(({ keyId, jwk }) => ({ keyId, jwk })),
    };
    const ending = ask(simulation, known.consentEndings);
    const outcome = await insist(simulation, own, "registered again", put, []);
    settle(simulation, known.consentEndings, ending, heardOf(outcome));
  };

  const disableForAWhile = async (own: Chance) => {
    const reason = own.pick(["lost", "lost", "compromised", "decommissioned"] as const);
    const disable = (why: string) => async () =>
      (await registrar()).call("POST", `/stamps/${known.stampId}:disable`, { reason: why });
    const enable = async () => (await registrar()).call("POST", `/stamps/${known.stampId}:enable`);
    const ending = ask(simulation, known.disablings);
    const outcome = await insist(simulation, own, "disabled", disable(reason), []);
    settle(simulation, known.disablings, ending, heardOf(outcome));
    known.isCompromised = reason === "compromised" && outcome.kind === "done";
    await simulation.time.pass(own.hours(30));
    // Whoever has found it lost may find out later that its key is in other hands.
    if (reason === "lost" && own.happens(0.6)) {
      const worse = await insist(simulation, own, "lost, then compromised", disable("compromised"), []);
      known.isCompromised = worse.kind === "done";
      await simulation.time.pass(own.hours(30));
    }
    // A compromise puts every key in doubt: only those that registration names anew may sign, also what was signed before.
    if (known.isCompromised || reason === "compromised") {
      keys.splice(0, keys.length, ...all());
      await registerAgain(own);
    }
    known.isCompromised = false;
    while ((await insist(simulation, own, "enabled", enable, [])).kind !== "done") await simulation.time.pass(1);
  };
  return { register: put, registerAgain: changeAndRegister, disableForAWhile };
}

const resourceId = (chance: Chance): string =>
  `/subscriptions/${chance.guid()}/resourceGroups/azurestack/providers/Microsoft.AzureStack/registrations/reg-${chance.guid()}`;
