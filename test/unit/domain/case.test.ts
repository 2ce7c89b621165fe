import { describe, expect, it } from "vitest";
import { caseNumber, dropBoxId, stampId } from "../../../shared/api/primitives.ts";
import {
  type CaseFacts,
  type CaseRecord,
  isAssigned,
  isRepeat,
  listsSender,
  sendersOf,
  updateCase,
} from "../../../shared/domain/case.ts";
import { senderOf } from "../../../shared/domain/dropBox.ts";
import { subjectId } from "../../../shared/domain/people.ts";
import { aCase, aCaseNumber, at, id } from "./support/records.ts";

const number = caseNumber.parse(aCaseNumber);
const [ann, bob] = [subjectId.parse(id(5)), subjectId.parse(id(6))];
const now = at("2026-11-24T10:00:00.000Z");
const later = at("2026-11-25T10:00:00.000Z");

const facts = (changes: Partial<CaseFacts> = {}): CaseFacts => ({
  revision: 1,
  kind: "support",
  state: "open",
  stampIds: [stampId.parse(id(1))],
  assignees: [ann],
  titleNote: undefined,
  ...changes,
});
const update = (standing: CaseRecord | undefined, changes: Partial<CaseFacts> = {}, on = now) =>
  updateCase(number, standing, facts(changes), on);

describe("the senders of a case", () => {
  const box = dropBoxId.parse(id(20));

  it("are its stamps and its drop boxes", () => {
    const record = aCase({ dropBoxIds: [box] });
    expect(sendersOf(record)).toEqual([id(1), senderOf(box)]);
    expect(listsSender(record, senderOf(box))).toBe(true);
    expect(listsSender(aCase(), senderOf(box))).toBe(false);
  });

  it("are not stamps whose Cloud ID a box was opened under", () => {
    expect(listsSender(aCase({ dropBoxIds: [box] }), stampId.parse(box))).toBe(false);
  });

  it("stay with it when the case system sends it anew, which knows of stamps only", () => {
    expect(update(aCase({ dropBoxIds: [box] }), { revision: 2, stampIds: [] }).case.dropBoxIds).toEqual([box]);
  });
});

describe("a revision", () => {
  it("of a case that is not there yet is no repeat, whatever it is", () => {
    expect(isRepeat(undefined, { revision: 0 }, false)).toBe(false);
  });

  it.each([
    [4, true, "StaleRevision"],
    [4, false, "StaleRevision"],
    [5, true, true],
    [5, false, "StaleRevision"],
    [6, true, false],
    [6, false, false],
  ])("%i after 5, with the same body %s, is %s", (revision, sameBody, expected) => {
    const ask = () => isRepeat(aCase({ revision: 5 }), { revision }, sameBody);
    if (typeof expected === "boolean") expect(ask()).toBe(expected);
    else
      expect(ask).toThrow(
        expect.objectContaining({ code: expected, details: [{ code: "StandingRevision", message: "5" }] }),
      );
  });
});

describe("closing", () => {
  it("raises the epoch that grants live under, once", () => {
    const closed = update(aCase(), { revision: 2, state: "closed" });
    expect(closed.case).toMatchObject({ state: "closed", closedOn: now.toISOString(), openEpoch: 1 });
    expect(closed.event.type).toBe("case.closed");
    const again = update(closed.case, { revision: 3, state: "closed" }, later);
    expect(again.case).toMatchObject({ closedOn: now.toISOString(), openEpoch: 1 });
    expect(again.event.type).toBe("case.updated");
  });

  it("is not undone by reopening: the epoch stays raised", () => {
    const closed = update(aCase(), { revision: 2, state: "closed" }).case;
    const reopened = update(closed, { revision: 3 }, later);
    expect(reopened.case).toMatchObject({ state: "open", openEpoch: 1 });
    expect(reopened.case.closedOn).toBeUndefined();
    expect(reopened.event.type).toBe("case.reopened");
    expect(update(reopened.case, { revision: 4, state: "closed" }, later).case.openEpoch).toBe(2);
  });

  it("may be how a case is first heard of", () => {
    const { case: record, event } = update(undefined, { state: "closed" });
    expect(record).toMatchObject({ state: "closed", closedOn: now.toISOString(), openEpoch: 0 });
    expect(event.type).toBe("case.updated");
  });
});

describe("assigning", () => {
  it("gives each person an epoch, and keeps it while they stay", () => {
    const first = update(undefined, { assignees: [ann] }).case;
    const both = update(first, { revision: 2, assignees: [bob, ann] }).case;
    expect(both.assignees).toEqual([
      { subjectId: bob, epoch: 2 },
      { subjectId: ann, epoch: 1 },
    ]);
  });

  it("again after unassigning gives a newer one, so that no old grant revives", () => {
    const first = update(undefined, { assignees: [ann] }).case;
    const nobody = update(first, { revision: 2, assignees: [] }).case;
    expect(isAssigned(nobody, ann)).toBe(false);
    const again = update(nobody, { revision: 3, assignees: [ann] }).case;
    expect(again.assignees).toEqual([{ subjectId: ann, epoch: 2 }]);
    expect(isAssigned(again, ann)).toBe(true);
  });

  it("keeps its epochs over closing and reopening", () => {
    const closed = update(aCase(), { revision: 2, state: "closed" }).case;
    expect(update(closed, { revision: 3 }).case.assignees).toEqual(aCase().assignees);
  });
});

describe("an update", () => {
  it("keeps when the case began, and takes everything else as it is said", () => {
    const { case: record } = update(aCase(), { revision: 7, kind: "productHealth", stampIds: [], assignees: [bob] });
    expect(record).toMatchObject({
      revision: 7,
      kind: "productHealth",
      stampIds: [],
      createdOn: aCase().createdOn,
      updatedOn: now.toISOString(),
    });
  });

  it("names people by subject id and the title not at all in its event", () => {
    const { event, case: record } = update(undefined, { titleNote: id(9) });
    expect(record.titleNote).toBe(id(9));
    expect(event.data).toEqual({
      caseNumber: aCaseNumber,
      revision: 1,
      kind: "support",
      state: "open",
      stampIds: [id(1)],
      assignees: [ann],
    });
  });

  it("without a title takes an earlier one away", () => {
    expect(update(aCase({ titleNote: id(9) }), { revision: 2 }).case).not.toHaveProperty("titleNote");
  });
});
