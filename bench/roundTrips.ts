import { randomInt, randomUUID } from "node:crypto";
import { gather } from "../local/demo/people.ts";
import { openCountedApp, openGround } from "./counting/countedApp.ts";
import { accepted, submit, tiny, upload } from "./counting/life.ts";
import { newStamp } from "./stage.ts";
import type { Row } from "./table.ts";

/** How often a warm service asks storage, authentication and all. */
export async function countRoundTrips(undo: AsyncDisposableStack, say: (line: string) => void): Promise<Row[]> {
  say("Counting round trips");
  const ground = await openGround(undo);
  const { app, origin, watching } = await openCountedApp(undo, ground);
  const engineer = randomUUID();
  const people = await gather(origin, ground.folder, engineer);
  const stamp = await newStamp(origin, people.registration);
  const { stampId, bundleId } = await accepted(app, stamp);

  const next = await tiny(stamp);
  let created: Awaited<ReturnType<typeof next.create>> | undefined;
  const create = await watching(async () => (created = await next.create()));
  const sent = created ?? (await next.create());
  await upload(sent);
  const submitting = await watching(() => submit(stamp, sent));

  const [caseNumber, grantId] = [`2211${randomInt(1e11, 1e12 - 1)}`, randomUUID()];
  await people.caseSystem.update(caseNumber, {
    revision: 1,
    kind: "support",
    state: "open",
    stampIds: [stampId],
    assignees: [engineer],
  });
  await people.engineer.link(caseNumber, stampId, bundleId);
  await people.engineer.grant(caseNumber, grantId, {
    bundles: [{ stampId, bundleId }],
    purpose: "troubleshooting",
    justification: "The update fails",
    durationMinutes: 60,
  });
  const issueUrl = () => people.engineer.issueUrl(caseNumber, grantId, { stampId, bundleId });
  await issueUrl();
  const issuing = await watching(issueUrl);

  return [row("create", create.length, 5), row("submit", submitting.length, 6), row("issue URL", issuing.length, 6)];
}

const row = (operation: string, calls: number, most: number): Row => ({
  what: `storage round trips of a warm ${operation}`,
  value: String(calls),
  detail: "counted once; asserted in `test/integration/operations/roundTrips.test.ts`",
  target: { words: `≤ ${most}`, met: calls <= most },
});
