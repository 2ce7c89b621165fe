import * as z from "zod";
import { caseNumber, stampId } from "../../api/primitives.ts";
import type { Directory } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import type { Table } from "./table.ts";

/** Table `directory`: which stamps and cases there are, so that a list never scans a table. */

const stampEntry = z.object({ stampId });
const caseEntry = z.object({ caseNumber });

export function openDirectory(table: Table): Directory {
  const cases = (partition: string, after?: string) =>
    mapped(table.scan({ partition, prefix: "", after }, caseEntry), (entry) => entry.caseNumber);
  return {
    addSender: async (id) => void (await table.put(toEntity("stamps", id, { stampId: id }))),
    senders: (after) =>
      mapped(table.scan({ partition: "stamps", prefix: "", after }, stampEntry), (entry) => entry.stampId),
    addCase: async (number) => void (await table.put(toEntity("cases", number, { caseNumber: number }))),
    cases: (after) => cases("cases", after),
    addAssignment: async (subject, number) =>
      void (await table.put(toEntity(`assignee!${subject}`, number, { caseNumber: number }))),
    casesOf: (subject, after) => cases(`assignee!${subject}`, after),
  };
}

async function* mapped<A, B>(rows: AsyncIterable<{ cursor: string; item: A }>, to: (item: A) => B) {
  for await (const { cursor, item } of rows) yield { cursor, item: to(item) };
}
