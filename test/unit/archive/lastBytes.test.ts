import fc from "fast-check";
import { expect, test } from "vitest";
import { LastBytes } from "../../../shared/archive/lastBytes.ts";

test("what is kept is the end of all that came by, whatever the pieces", () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
  fc.assert(
    fc.property(pieces, fc.nat(30), (chunks, most) => {
      const last = new LastBytes(most);
      for (const chunk of chunks) last.add(Buffer.from(chunk));
      const all = Buffer.concat(chunks);
      expect(last.lengthBytes).toBe(all.length);
      expect(last.bytes()).toEqual(all.subarray(Math.max(0, all.length - most)));
    }),
  );
});
