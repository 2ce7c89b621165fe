import type { TableEntityResult } from "@azure/data-tables";
import * as z from "zod";

/**
 * A row as a table entity: its value as JSON, cut to what a string property holds, its schema version, and the columns that
 * queries filter by. Rows are parsed when they are read.
 */

/** A string property of a table holds 32,768 characters. */
const charactersPerProperty = 32_000;

export const schemaVersion = 1;

export type Entity = { partitionKey: string; rowKey: string; v: number; [column: string]: string | number };

/** Encodes a value; `columns` are repeated beside the JSON for filters. */
export function toEntity(
  partitionKey: string,
  rowKey: string,
  value: unknown,
  columns: Readonly<Record<string, string>> = {},
): Entity {
  const json = JSON.stringify(value);
  const entity: Entity = { partitionKey, rowKey, v: schemaVersion, ...columns };
  for (let part = 0; part * charactersPerProperty < json.length; part += 1) {
    entity[`json${part}`] = json.slice(part * charactersPerProperty, (part + 1) * charactersPerProperty);
  }
  return entity;
}

const versioned = z.object({ v: z.literal(schemaVersion) });
const jsonParts = z.record(z.string(), z.unknown());

/** Decodes a row; throws where it is not of the schema, which no write of this service can cause. */
export function fromEntity<T extends z.ZodType>(entity: TableEntityResult<object>, schema: T): z.infer<T> {
  versioned.parse(entity);
  const properties = jsonParts.parse(entity);
  let json = "";
  for (let part = 0; typeof properties[`json${part}`] === "string"; part += 1) json += properties[`json${part}`];
  return schema.parse(JSON.parse(json));
}
