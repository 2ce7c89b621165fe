import type { TransactionAction } from "@azure/data-tables";
import * as z from "zod";
import {
  type BundleId,
  bundleId,
  type CaseNumber,
  caseNumber,
  type GrantId,
  grantId,
  type StampId,
} from "../../api/primitives.ts";
import { type AccessRecord, accessRecord, type ListingMark, listingMark } from "../../domain/access.ts";
import { isOpen, type RequestRecord, requestRecord } from "../../domain/approval.ts";
import { type BundleRecord, bundleRecord } from "../../domain/bundle.ts";
import { type DecisionRecord, decisionRecord } from "../../domain/consent.ts";
import { leavesOpen, loadAfter } from "../../domain/load.ts";
import { senderRecord } from "../../domain/sender.ts";
import type { Page, StampChange, Stamps } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import { newestFirst } from "./keys.ts";
import { foresee, type LedgerRows, openLedger, type Touch } from "./ledger.ts";
import { noteEntity, noteRow, noteSchema } from "./notes.ts";
import type { Table } from "./table.ts";

/**
 * Table `stamps`, one partition a stamp or a drop box. Beside the head (with the registration and the standing consent) and the events:
 * `bundle!<id>` the bundles, `history!<newest first>!<id>` their order, `open!<id>` those still `created`, `case!<number>` the cases they were linked to, `decision!…`, `access!…`, `note!…`,
 * `listed!<day>!<bundle>!<subject>` whose lists of files are told already, `request!<grant>` what it was asked to approve, `asked!<time>!<grant>` what of that nobody has answered.
 */

const bundleReference = z.object({ bundleId });
const grantReference = z.object({ grantId });
const caseReference = z.object({ caseNumber });

const bundleKey = (id: BundleId) => `bundle!${id}`;
const openKey = (id: BundleId) => `open!${id}`;
const historyKey = (bundle: BundleRecord) => `history!${newestFirst(bundle.createdOn)}!${bundle.bundleId}`;
const decisionKey = (decision: Pick<DecisionRecord, "decidedOn" | "decisionId">) =>
  `decision!${newestFirst(decision.decidedOn)}!${decision.decisionId}`;
const requestKey = (id: GrantId) => `request!${id}`;
const askedKey = (request: RequestRecord) => `asked!${request.requestedOn}!${request.grantId}`;
const listingKey = ({ day, bundleId, subject }: ListingMark) => `listed!${day}!${bundleId}!${subject}`;
const accessKey = (access: AccessRecord) => `access!${newestFirst(access.on)}!${access.accessId}`;

export function openStamps(table: Table, touch: Touch): { readonly stamps: Stamps; readonly rows: LedgerRows } {
  const ledger = openLedger(table, senderRecord, touch);
  const ids = (stamp: StampId, prefix: string, after?: string): Page<BundleId> =>
    bundleIds(table.scan({ partition: stamp, prefix, after }, bundleReference));

  return {
    rows: ledger,
    stamps: {
      foresee,
      head: (stamp) => ledger.head(stamp, `stamps/${stamp}`),
      commit: async (stamp, head, change, on) => {
        const sender = change.sender ?? head.state;
        if (sender === undefined) throw new TypeError("A sender's first change says what it is");
        // A box is filled from outside: only what a stamp creates counts towards its limits.
        const state = sender.kind === "stamp" ? { ...sender, load: loadAfter(sender.load, change) } : sender;
        return await ledger.commit(stamp, head, { state, events: change.events, rows: rowsOf(stamp, change) }, on);
      },
      bundle: async (stamp, id) => (await table.read(stamp, bundleKey(id), bundleRecord))?.value,
      openBundles: (stamp) => ids(stamp, "open!"),
      cases: (stamp) => caseNumbers(table.scan({ partition: stamp, prefix: "case!" }, caseReference)),
      history: (stamp, after) => ids(stamp, "history!", after),
      decision: async (stamp, at) => (await table.read(stamp, decisionKey(at), decisionRecord))?.value,
      decisions: (stamp, after) => table.scan({ partition: stamp, prefix: "decision!", after }, decisionRecord),
      accesses: (stamp, after) => table.scan({ partition: stamp, prefix: "access!", after }, accessRecord),
      isListed: async (stamp, mark) => (await table.read(stamp, listingKey(mark), listingMark)) !== undefined,
      request: async (stamp, id) => (await table.read(stamp, requestKey(id), requestRecord))?.value,
      openRequests: (stamp, after) =>
        grantIds(table.scan({ partition: stamp, prefix: "asked!", after }, grantReference)),
      note: async (stamp, id) => (await table.read(stamp, `note!${id}`, noteSchema))?.value,
      keepNote: async (stamp, note) => {
        if ((await table.insert(noteEntity(stamp, note))) !== undefined) return note;
        return (await table.read(stamp, `note!${note.noteId}`, noteSchema))?.value ?? note;
      },
      dropNote: (stamp, id) => table.remove(stamp, `note!${id}`),
    },
  };
}

async function* bundleIds(rows: Page<{ bundleId: BundleId }>): Page<BundleId> {
  for await (const { cursor, item } of rows) yield { cursor, item: item.bundleId };
}

async function* grantIds(rows: Page<{ grantId: GrantId }>): Page<GrantId> {
  for await (const { cursor, item } of rows) yield { cursor, item: item.grantId };
}

async function* caseNumbers(rows: Page<{ caseNumber: CaseNumber }>): Page<CaseNumber> {
  for await (const { cursor, item } of rows) yield { cursor, item: item.caseNumber };
}

function rowsOf(stamp: StampId, change: StampChange): TransactionAction[] {
  const create = (rowKey: string, value: unknown): TransactionAction => ["create", toEntity(stamp, rowKey, value)];
  return [
    ...(change.insert ?? []).flatMap((bundle) => newBundle(stamp, bundle)),
    ...(change.update ?? []).flatMap(({ from, to }) => changedBundle(stamp, from, to)),
    ...(change.decision === undefined ? [] : [create(decisionKey(change.decision), change.decision)]),
    ...(change.access === undefined ? [] : [create(accessKey(change.access), change.access)]),
    ...(change.listing === undefined ? [] : [create(listingKey(change.listing), change.listing)]),
    ...(change.request === undefined ? [] : changedRequest(stamp, change.request.from, change.request.to)),
    ...(change.lentTo === undefined ? [] : [caseRow(stamp, change.lentTo)]),
    ...(change.notes ?? []).map((note) => noteRow(stamp, note)),
  ];
}

function changedRequest(stamp: StampId, from: RequestRecord | undefined, to: RequestRecord): TransactionAction[] {
  const request = toEntity(stamp, requestKey(to.grantId), to);
  if (from === undefined) {
    return [
      ["create", request],
      ["create", toEntity(stamp, askedKey(to), { grantId: to.grantId })],
    ];
  }
  const update: TransactionAction = ["update", request, "Replace"];
  return isOpen(from) && !isOpen(to) ? [update, ["delete", { partitionKey: stamp, rowKey: askedKey(from) }]] : [update];
}

const caseRow = (stamp: StampId, number: CaseNumber): TransactionAction => [
  "upsert",
  toEntity(stamp, `case!${number}`, { caseNumber: number }),
  "Replace",
];

function newBundle(stamp: StampId, bundle: BundleRecord): TransactionAction[] {
  const reference = { bundleId: bundle.bundleId };
  return [
    ["create", toEntity(stamp, bundleKey(bundle.bundleId), bundle)],
    ["create", toEntity(stamp, historyKey(bundle), reference)],
    ...(bundle.state === "created" ? [openRow(stamp, bundle)] : []),
  ];
}

const openRow = (stamp: StampId, { bundleId }: BundleRecord): TransactionAction => [
  "create",
  toEntity(stamp, openKey(bundleId), { bundleId }),
];

function changedBundle(stamp: StampId, from: BundleRecord, to: BundleRecord): TransactionAction[] {
  const update: TransactionAction = ["update", toEntity(stamp, bundleKey(to.bundleId), to), "Replace"];
  return leavesOpen({ from, to })
    ? [update, ["delete", { partitionKey: stamp, rowKey: openKey(to.bundleId) }]]
    : [update];
}
