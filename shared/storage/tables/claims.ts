import * as z from "zod";
import { utcTime } from "../../api/primitives.ts";
import type { Claims } from "../../operations/needs.ts";
import { toEntity } from "./entity.ts";
import { shardOf } from "./keys.ts";
import type { Table } from "./table.ts";

/** Table `claims`: who works on something that only one should work on at a time, and until when that is believed. */

const claim = z.object({ holder: z.string(), expiresOn: utcTime });

export function openClaims(table: Table): Claims {
  const rowOf = (name: string, value: z.infer<typeof claim>) => toEntity(shardOf(name), name, value);
  return {
    read: async (name) => {
      const row = await table.read(shardOf(name), name, claim);
      return row && { ...row.value, etag: row.etag };
    },
    insert: (name, value) => table.insert(rowOf(name, value)),
    replace: (name, value, etag) => table.replace(rowOf(name, value), etag),
    remove: (name, etag) => table.removeAsRead(shardOf(name), name, etag),
  };
}
