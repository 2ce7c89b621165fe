import type { TransactionAction } from "@azure/data-tables";
import * as z from "zod";
import { bundleId, type CaseNumber, type GrantId, grantId, stampId, utcTime } from "../../api/primitives.ts";
import { caseRecord } from "../../domain/case.ts";
import { type GrantRecord, grantRecord } from "../../domain/grant.ts";
import type { CaseChange, Cases, LinkRecord, Page } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import { type LedgerRows, openLedger, type Touch } from "./ledger.ts";
import { noteRow, noteSchema } from "./notes.ts";
import type { Table } from "./table.ts";

/**
 * Table `cases`, one partition a case. Beside the head and the events: `grant!<id>`, `active!<id>` those whose end is not written yet,
 * `link!<stamp>!<bundle>`, `note!…`.
 */

const linkRecord = z.object({ stampId, bundleId, linkedOn: utcTime });
const grantReference = z.object({ grantId });

const grantKey = (id: GrantId) => `grant!${id}`;
const activeKey = (id: GrantId) => `active!${id}`;
const linkKey = (link: Pick<LinkRecord, "stampId" | "bundleId">) => `link!${link.stampId}!${link.bundleId}`;

export function openCases(table: Table, touch: Touch): { readonly cases: Cases; readonly rows: LedgerRows } {
  const ledger = openLedger(table, caseRecord, touch);
  return {
    rows: ledger,
    cases: {
      head: (number) => ledger.head(number, `cases/${number}`),
      commit: async (number, head, change, on) => {
        const state = change.case ?? head.state;
        if (state === undefined) throw new TypeError("A case's first change records it");
        return await ledger.commit(number, head, { state, events: change.events, rows: rowsOf(number, change) }, on);
      },
      grant: async (number, id) => (await table.read(number, grantKey(id), grantRecord))?.value,
      grants: (number, after) => table.scan({ partition: number, prefix: "grant!", after }, grantRecord),
      activeGrants: (number) => grantIds(table.scan({ partition: number, prefix: "active!" }, grantReference)),
      link: async (number, stamp, bundle) =>
        (await table.read(number, linkKey({ stampId: stamp, bundleId: bundle }), linkRecord))?.value,
      links: (number, after) => table.scan({ partition: number, prefix: "link!", after }, linkRecord),
      note: async (number, id) => (await table.read(number, `note!${id}`, noteSchema))?.value,
      dropNote: (number, id) => table.remove(number, `note!${id}`),
    },
  };
}

async function* grantIds(rows: Page<{ grantId: GrantId }>): Page<GrantId> {
  for await (const { cursor, item } of rows) yield { cursor, item: item.grantId };
}

function rowsOf(number: CaseNumber, change: CaseChange): TransactionAction[] {
  return [
    ...(change.insertGrant === undefined ? [] : newGrant(number, change.insertGrant)),
    ...(change.activateGrant === undefined ? [] : [changedGrant(number, change.activateGrant)]),
    ...(change.endGrants ?? []).flatMap((grant) => endedGrant(number, grant)),
    ...(change.insertLink === undefined ? [] : [newLink(number, change.insertLink)]),
    ...(change.removeLink === undefined ? [] : [noLink(number, change.removeLink)]),
    ...(change.notes ?? []).map((note) => noteRow(number, note)),
  ];
}

const newGrant = (number: CaseNumber, grant: GrantRecord): TransactionAction[] => [
  ["create", toEntity(number, grantKey(grant.grantId), grant)],
  ["create", toEntity(number, activeKey(grant.grantId), { grantId: grant.grantId })],
];

const changedGrant = (number: CaseNumber, grant: GrantRecord): TransactionAction => [
  "update",
  toEntity(number, grantKey(grant.grantId), grant),
  "Replace",
];

const endedGrant = (number: CaseNumber, grant: GrantRecord): TransactionAction[] => [
  changedGrant(number, grant),
  ["delete", { partitionKey: number, rowKey: activeKey(grant.grantId) }],
];

const newLink = (number: CaseNumber, link: LinkRecord): TransactionAction => [
  "create",
  toEntity(number, linkKey(link), link),
];

const noLink = (number: CaseNumber, link: LinkRecord): TransactionAction => [
  "delete",
  { partitionKey: number, rowKey: linkKey(link) },
];
