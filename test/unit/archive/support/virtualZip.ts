import { Readable } from "node:stream";
import type { Source } from "../../../../shared/archive/source.ts";
import { directoryEntry, endRecord, type RawEntry } from "./rawZip.ts";

/**
 * A zip of any number of entries that is nowhere as a whole: its directory is made up where it is read, with little garbage of its own. Names
 * are of one length, and nothing else differs between entries.
 */
export function virtualZip(
  entries: number,
  nameOf: (index: number) => string,
  changes: Omit<RawEntry, "name"> = {},
): Source {
  const template = directoryEntry({ ...changes, name: nameOf(0) }, 0);
  const end = endRecord(entries, 0, entries * template.length);
  const endAt = entries * template.length;

  const read = (offset: number, count: number): Buffer => {
    const bytes = Buffer.alloc(count);
    for (let index = Math.floor(offset / template.length); index < entries; index++) {
      const at = index * template.length - offset;
      if (at >= count) break;
      template.write(nameOf(index), 46);
      template.copy(bytes, Math.max(0, at), Math.max(0, -at));
    }
    if (endAt - offset < count) end.copy(bytes, Math.max(0, endAt - offset), Math.max(0, offset - endAt));
    return bytes;
  };

  return {
    sizeBytes: endAt + end.length,
    read: async (offset, count) => read(offset, count),
    stream: (offset, count) => Readable.from([read(offset, count)]),
  };
}
