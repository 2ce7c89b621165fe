import { describe, expect, test } from "vitest";
import { type Upload, uploadTarget } from "../../../client/uploadTarget.ts";
import { utcTime } from "../../../shared/api/primitives.ts";

const start = Date.parse("2026-11-22T12:00:00Z");
const minutes = 60_000;

/** A service that hands out `url-1`, `url-2`, … which live that long, and a clock that the test moves. */
function issuer(lifeMs: number) {
  const clock = { ms: start };
  let issued = 0;
  const issue = (): Upload => {
    issued += 1;
    const expiresOn = utcTime.parse(new Date(clock.ms + lifeMs).toISOString());
    return { url: `url-${issued}`, expiresOn, blockSizeBytes: 1, requiredHeaders: {} };
  };
  return { clock, issue, renew: async () => issue(), now: () => new Date(clock.ms), issued: () => issued };
}

describe("an upload's URL", () => {
  test("serves until shortly before its end, and is then renewed", async () => {
    const { clock, issue, renew, now } = issuer(240 * minutes);
    const target = uploadTarget(issue(), renew, now);
    clock.ms = start + 234 * minutes;
    expect((await target.current()).url).toBe("url-1");
    clock.ms = start + 236 * minutes;
    expect((await target.current()).url).toBe("url-2");
  });

  test("that lives only briefly is not renewed before each use", async () => {
    const { clock, issue, renew, now } = issuer(minutes);
    const target = uploadTarget(issue(), renew, now);
    clock.ms = start + 50_000;
    expect((await target.current()).url).toBe("url-1");
    clock.ms = start + 55_000;
    expect((await target.current()).url).toBe("url-2");
  });

  test("is renewed once for all the blocks in flight that it failed", async () => {
    const { issue, renew, now, issued } = issuer(240 * minutes);
    const target = uploadTarget(issue(), renew, now);
    const failed = await target.current();
    const renewed = await Promise.all(
      [1, 2, 3, 4].map(async () => {
        target.refuse(failed);
        return target.current();
      }),
    );
    target.refuse(failed);
    expect(new Set(renewed.map(({ url }) => url))).toEqual(new Set(["url-2"]));
    expect((await target.current()).url).toBe("url-2");
    expect(issued()).toBe(2);
  });

  test("is asked for where the bundle came without one", async () => {
    const { renew, now } = issuer(240 * minutes);
    expect((await uploadTarget(undefined, renew, now).current()).url).toBe("url-1");
  });

  test("is asked for again after a renewal that failed", async () => {
    const { issue, now } = issuer(240 * minutes);
    let tries = 0;
    const renew = async () => {
      tries += 1;
      if (tries === 1) throw new Error("not now");
      return issue();
    };
    const target = uploadTarget(undefined, renew, now);
    await expect(target.current()).rejects.toThrow("not now");
    expect((await target.current()).url).toBe("url-1");
  });
});
