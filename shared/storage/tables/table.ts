import { odata, type TableClient, type TransactionAction } from "@azure/data-tables";
import * as z from "zod";
import { lazy } from "../../lazy.ts";
import { HeadMoved } from "../../operations/needs.ts";
import {
  asServiceUnavailable,
  hasCode,
  isConflict,
  isNotFound,
  isPreconditionFailed,
  orUnavailable,
} from "../failures.ts";
import { type Entity, fromEntity } from "./entity.ts";

/** The few calls that every table of the service is used by. Each turns an outage into `ServiceUnavailable`. */

/** The ETag that every version of a row fits. */
const anyVersion = "*";

/** Sorts after every character of a key. */
const afterAll = "~";

export type Range = {
  readonly partition: string;
  /** Row keys begin with this. */
  readonly prefix: string;
  /** Only rows after this row key. */
  readonly after?: string | undefined;
  /** Only rows whose `dueOn` column is at or before this. */
  readonly dueBy?: string;
  readonly pageSize?: number;
};

/** What is done with a row that cannot be parsed: it is left out of the list. Without it the list throws. */
export type Unreadable = (place: { readonly partition: string; readonly rowKey: string }, error: unknown) => void;

export type PartitionsRange = {
  readonly partitionsFrom: string;
  readonly partitionsPrefix: string;
  /** Row keys begin with this. */
  readonly prefix: string;
};

export type Table = ReturnType<typeof openTable>;

/** `open` is asked by the first call. */
export function openTable(open: () => TableClient) {
  const client = lazy(open);
  const made = once(() => client().createTable());

  /** A table that is not there yet is made by the first write, once, and the call repeated. */
  async function call<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!hasCode(error, "TableNotFound")) throw error;
      await made();
      return await work();
    }
  }

  async function read<T extends z.ZodType>(
    partition: string,
    rowKey: string,
    schema: T,
  ): Promise<{ value: z.infer<T>; etag: string } | undefined> {
    try {
      const entity = await client().getEntity(partition, rowKey);
      return { value: fromEntity(entity, schema), etag: entity.etag };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw asServiceUnavailable(error);
    }
  }

  /** All or nothing. Throws `HeadMoved` where a condition failed, a row was there already, or one is there no more. */
  async function transact(actions: TransactionAction[]): Promise<(string | undefined)[]> {
    try {
      const result = await call(() => client().submitTransaction(actions));
      return result.subResponses.map((response) => response.etag);
    } catch (error) {
      if (isConflict(error) || isPreconditionFailed(error) || isNotFound(error))
        throw new HeadMoved(`${client().tableName}/${actions[0]?.[1].partitionKey}`, { cause: error });
      throw asServiceUnavailable(error);
    }
  }

  const put = (entity: Entity) => orUnavailable(() => call(() => client().upsertEntity(entity, "Replace")));

  /** Its ETag where this call inserted it; undefined where a row of that key was there. */
  async function insert(entity: Entity): Promise<string | undefined> {
    try {
      return (await call(() => client().createEntity(entity))).etag ?? anyVersion;
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw asServiceUnavailable(error);
    }
  }

  /** Gives the new ETag. Throws `HeadMoved` where the row is not as it was read. */
  async function replace(entity: Entity, etag: string): Promise<string> {
    try {
      return (await client().updateEntity(entity, "Replace", { etag })).etag ?? anyVersion;
    } catch (error) {
      throw movedOr(error, entity.partitionKey);
    }
  }

  /** Throws `HeadMoved` where the row is not as it was read, or gone. */
  async function removeAsRead(partition: string, rowKey: string, etag: string): Promise<void> {
    try {
      await client().deleteEntity(partition, rowKey, { etag });
    } catch (error) {
      throw movedOr(error, partition);
    }
  }

  const movedOr = (error: unknown, partition: string): unknown =>
    isPreconditionFailed(error) || isNotFound(error)
      ? new HeadMoved(`${client().tableName}/${partition}`, { cause: error })
      : asServiceUnavailable(error);

  /** Also where it is gone already. */
  async function remove(partition: string, rowKey: string): Promise<void> {
    try {
      await client().deleteEntity(partition, rowKey);
    } catch (error) {
      if (!isNotFound(error)) throw asServiceUnavailable(error);
    }
  }

  /** The rows of a range in order of their keys, a page at a time. */
  function scan<T extends z.ZodType>(range: Range, schema: T, skip?: Unreadable) {
    // A place that a caller hands in may only ever narrow the range.
    const from = range.after?.startsWith(range.prefix) ? range.after : range.prefix;
    const until = `${range.prefix}${afterAll}`;
    const keys = odata`PartitionKey eq ${range.partition} and RowKey gt ${from} and RowKey lt ${until}`;
    const filter = range.dueBy === undefined ? keys : `${keys} and ${odata`dueOn le ${range.dueBy}`}`;
    return rows(filter, range.pageSize ?? 100, schema, skip);
  }

  /** The same across neighbouring partitions: those from one on that share a prefix. */
  function scanAcross<T extends z.ZodType>(range: PartitionsRange, schema: T, skip?: Unreadable) {
    const partitions = odata`PartitionKey ge ${range.partitionsFrom} and PartitionKey lt ${`${range.partitionsPrefix}${afterAll}`}`;
    const keys = odata`RowKey gt ${range.prefix} and RowKey lt ${`${range.prefix}${afterAll}`}`;
    return rows(`${partitions} and ${keys}`, 1000, schema, skip);
  }

  async function* rows<T extends z.ZodType>(
    filter: string,
    pageSize: number,
    schema: T,
    skip: Unreadable | undefined,
  ): AsyncGenerator<{ cursor: string; item: z.infer<T> }> {
    try {
      const pages = client().listEntities({ queryOptions: { filter } }).byPage({ maxPageSize: pageSize });
      for await (const page of pages) {
        for (const entity of page) {
          const { partitionKey: partition, rowKey } = keysOf.parse(entity);
          const row = parse(() => fromEntity(entity, schema));
          if ("value" in row) yield { cursor: rowKey, item: row.value };
          else if (skip === undefined) throw row.error;
          else skip({ partition, rowKey }, row.error);
        }
      }
    } catch (error) {
      if (!hasCode(error, "TableNotFound")) throw asServiceUnavailable(error);
    }
  }

  return { read, transact, put, insert, replace, remove, removeAsRead, scan, scanAcross };
}

const keysOf = z.object({ partitionKey: z.string(), rowKey: z.string() });

function parse<T>(read: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: read() };
  } catch (error) {
    return { error };
  }
}

/** Runs the work once and shares its outcome; a failure is forgotten so that it can be tried again. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}
