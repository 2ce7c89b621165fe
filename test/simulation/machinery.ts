import { QueueClient } from "@azure/storage-queue";
import type { App } from "../../shared/app.ts";
import { verificationQueueName } from "../../shared/app.ts";
import { eachBounded } from "../../shared/operations/bounded.ts";
import type { Chance } from "./chance.ts";
import { count, quietly, type Simulation, streamOf } from "./simulation.ts";

/** What the platform runs: timers that come late, doubled, or not at all, and a queue that delivers when it likes, sometimes twice. */

type TimerName = keyof App["timers"];

/** The most storage calls that a run of a timer is let to make before it dies. */
const callsOfATimer = 400;

/** A verification's, or those of a drop box that is emptied. */
const callsOfAMessage = 40;

/** A purge that does not run, or that storage refuses, lasts at most as long. */
const longestOutageDays = 8;

/** Hours between runs, on average. In service they run far more often; less often is harder. */
const rhythm: readonly (readonly [TimerName, number])[] = [
  ["sweepUnfinished", 3],
  ["purgeDue", 5],
  ["foldLedger", 8],
  ["sealCheckpoint", 24],
  ["forgetOld", 48],
  // It reads every row of every day that is held.
  ["reconcile", 96],
];

export type Machinery = {
  /** Runs a timer once, alone. */
  readonly runTimer: (name: TimerName) => Promise<void>;
  /** Delivers what is in the queue until it is empty. */
  readonly drainQueue: () => Promise<void>;
  /** From now on nothing fails. */
  readonly calm: () => void;
};

export async function openMachinery(simulation: Simulation): Promise<Machinery> {
  const { known, time, perils, stage, size } = simulation;
  const queue = new QueueClient(stage().connectionString, verificationQueueName);
  await queue.createIfNotExists();
  const stopped = new Set<TimerName>();
  const endings = new Set<() => void>();
  let isDown = false;

  const runTimer = async (name: TimerName) => {
    const startedOn = time.now().getTime();
    await quietly(simulation, () => stage().app.timers[name]());
    if (name === "purgeDue") known.purgedOn = startedOn;
  };

  const risked = async (name: TimerName, chance: Chance) => {
    if (stopped.has(name)) return;
    count(simulation, name);
    try {
      const { kind } = await perils.risk(chance, callsOfATimer, () => runTimer(name));
      if (kind === "died") count(simulation, `${name} died`);
    } catch (error) {
      if (!perils.isRefusing()) throw error;
      count(simulation, `${name} failed`);
    }
  };

  for (const [name, hours] of rhythm) {
    time.live(async () => {
      const chance = streamOf(simulation, `timer ${name}`);
      for (;;) {
        await time.pass(chance.hours(hours * size.timerPace));
        const doubled = chance.happens(0.1) ? [risked(name, chance)] : [];
        await Promise.all([risked(name, chance), ...doubled]);
      }
    });
  }

  const delivery = streamOf(simulation, "queue");
  time.live(async () => {
    for (;;) {
      await time.pass(delivery.hours(1));
      if (!isDown) await deliver(delivery);
    }
  });

  async function deliver(chance: Chance | undefined): Promise<void> {
    for (;;) {
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32, visibilityTimeout: 2 });
      if (receivedMessageItems.length === 0) return;
      await eachBounded(receivedMessageItems, 6, async ({ messageText, messageId, popReceipt }) => {
        const message: unknown = JSON.parse(Buffer.from(messageText, "base64").toString("utf8"));
        const handle = () => quietly(simulation, () => stage().app.queues.verify(message));
        const isHandled = chance === undefined ? await handle().then(() => true) : await handleAtRisk(chance, handle);
        if (isHandled) await queue.deleteMessage(messageId, popReceipt).catch(() => {});
      });
    }
  }

  /** Perhaps twice at once. False where it died and the message comes again; the sweeper asks again in any case. */
  async function handleAtRisk(chance: Chance, handle: () => Promise<void>): Promise<boolean> {
    const safely = async (): Promise<boolean> => {
      try {
        const { kind } = await perils.risk(chance, callsOfAMessage, handle);
        count(simulation, kind === "died" ? "message died" : "message");
        return kind === "done" || chance.happens(0.5);
      } catch (error) {
        if (!perils.isRefusing()) throw error;
        return false;
      }
    };
    const runs = await Promise.all(chance.happens(0.05) ? [safely(), safely()] : [safely()]);
    return runs.every((handled) => handled);
  }

  const during = async (hours: number, begin: () => () => void): Promise<void> => {
    const end = begin();
    endings.add(end);
    await time.pass(hours);
    end();
    endings.delete(end);
  };
  const stop = (names: readonly TimerName[]) => () => {
    for (const name of names) stopped.add(name);
    return () => {
      for (const name of names) stopped.delete(name);
    };
  };
  const refuseDaysToGo = () =>
    perils.refuse(({ method, url }) => method === "DELETE" && new URL(url).pathname.includes("/bundles-"));
  const refuseAll = () => {
    const end = perils.refuse(() => true);
    isDown = true;
    return () => {
      end();
      isDown = false;
    };
  };

  const purgeOutage = async (chance: Chance) => {
    count(simulation, "purge outage");
    const hours = (0.5 + 0.5 * chance.unit()) * longestOutageDays * 24;
    await during(hours, chance.happens(0.5) ? stop(["purgeDue"]) : refuseDaysToGo);
  };
  time.live(async () => {
    const chance = streamOf(simulation, "purge outages");
    const untilThePurgeHours = size.purgeAfterDays * 24;
    // One while only erasures are due, and then one from when the first day is: that one brings bytes near the line.
    const early = chance.unit() * 0.5 * untilThePurgeHours;
    await time.pass(early);
    await purgeOutage(chance);
    await time.pass(untilThePurgeHours - early - longestOutageDays * 24 + chance.hours(12));
    for (;;) {
      await purgeOutage(chance);
      await time.pass(48 + chance.hours(10 * 24));
    }
  });
  time.live(async () => {
    const chance = streamOf(simulation, "other outages");
    for (;;) {
      await time.pass(chance.hours(5 * 24));
      count(simulation, "outage");
      const stopping = stop(["sweepUnfinished", "foldLedger"]);
      await during(1 + chance.hours(3), chance.happens(0.5) ? refuseAll : stopping);
    }
  });

  return {
    runTimer,
    drainQueue: () => deliver(undefined),
    calm: () => {
      for (const end of endings) end();
    },
  };
}
