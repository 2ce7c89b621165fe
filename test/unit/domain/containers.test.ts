import { describe, expect, it } from "vitest";
import { dropBoxId } from "../../../shared/api/primitives.ts";
import {
  boxContainerName,
  boxOfContainer,
  bundleBlobName,
  dayContainerName,
  dayOfContainer,
  landingContainerName,
} from "../../../shared/domain/containers.ts";
import { utcDaySchema } from "../../../shared/domain/utcDay.ts";

const day = utcDaySchema.parse("20261123");
const stampId = "3f8a1c52-9a5e-4c80-8f37-1f2b3c4d5e6f";
const bundleId = "0b6f2d0e-55a1-4d3c-9d6f-7a8b9c0d1e2f";
const attempt = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

describe("a landing container's name", () => {
  it("is one that storage accepts and shows its day", () => {
    expect(landingContainerName(day, { stampId, bundleId, attempt })).toMatch(/^landing-20261123-[0-9a-f]{40}$/);
  });

  it("differs with the stamp, the bundle and the attempt, so that none is used twice", () => {
    const names = [
      landingContainerName(day, { stampId, bundleId, attempt }),
      landingContainerName(day, { stampId: attempt, bundleId, attempt }),
      landingContainerName(day, { stampId, bundleId: attempt, attempt }),
      landingContainerName(day, { stampId, bundleId, attempt: stampId }),
    ];
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("a day container's name", () => {
  it("tells its day, and no other name does", () => {
    expect(dayContainerName(day)).toBe("bundles-20261123");
    expect(dayOfContainer("bundles-20261123")).toBe(day);
    for (const other of ["bundles-20261323", "bundles-", "bundles-20261123x", "landing-20261123", "lent-20261123"]) {
      expect(dayOfContainer(other)).toBeUndefined();
    }
  });

  it("holds a bundle under its stamp", () => {
    expect(bundleBlobName({ stampId, bundleId })).toBe(`${stampId}/${bundleId}`);
  });
});

describe("a drop box's container", () => {
  it("says its day and its box, and what it says is read back", () => {
    const box = dropBoxId.parse(stampId);
    const name = boxContainerName(day, box);
    expect(name).toBe(`box-20261123-${box}`);
    expect(boxOfContainer(name)).toEqual({ day, dropBoxId: box });
  });

  it.each([
    "box-20261323-3f8a1c52-9a5e-4c80-8f37-1f2b3c4d5e6f",
    "box-20261123",
    "box-20261123-3f8a1c52",
    "boxes-20261123-3f8a1c52-9a5e-4c80-8f37-1f2b3c4d5e6f",
    "landing-20261123-3f8a1c52-9a5e-4c80-8f37-1f2b3c4d5e6f",
    "box-20261123-3f8a1c52-9a5e-4c80-8f37-1f2b3c4d5e6f0",
    "",
  ])("%j is none", (name) => expect(boxOfContainer(name)).toBeUndefined());
});
