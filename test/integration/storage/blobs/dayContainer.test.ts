import { describe, expect, it } from "vitest";
import { bundleBlobName, dayContainerName } from "../../../../shared/domain/containers.ts";
import { addDays, type UtcDay } from "../../../../shared/domain/utcDay.ts";
import { inMinutes, newDay, newLocation, openTestAccount } from "./support/account.ts";

const { account, storage } = openTestAccount();

async function fill(day: UtcDay, bundles: number) {
  await account.ensureDay(day);
  const container = storage.getContainerClient(dayContainerName(day));
  const locations = Array.from({ length: bundles }, () => newLocation(day));
  await Promise.all(
    locations.map(async (at) => {
      const blob = container.getBlockBlobClient(bundleBlobName(at));
      await blob.upload("bundle", 6);
      await blob.createSnapshot();
    }),
  );
  return { container, locations };
}

describe("a day container", () => {
  it("is made where it is missing and left alone where it is there", async () => {
    const day = newDay();
    const { container } = await fill(day, 1);
    const made = await container.getProperties();
    await account.ensureDay(day);
    expect((await container.getProperties()).etag).toBe(made.etag);
  });

  it("is listed by its day, oldest first, and only while it is there", async () => {
    const day = newDay();
    const days = [addDays(day, 1), day, addDays(day, 2)];
    await Promise.all(days.map(account.ensureDay));
    await storage.getContainerClient(`bundles-${day}x`).create();
    const ours = async () => (await account.listDays()).filter((each) => days.includes(each));
    expect(await ours()).toEqual(days.toSorted());
    await account.deleteDay(day);
    expect(await ours()).toEqual([addDays(day, 1), addDays(day, 2)]);
  });
});

describe("[invariant 3] deleting a day", () => {
  it.each([0, 1, 50])("takes one deleting call for %i bundles", async (bundles) => {
    const { account: counted, calls } = openTestAccount();
    const day = newDay();
    const { container } = await fill(day, bundles);

    await counted.deleteDay(day);

    expect(calls.filter((call) => call.startsWith("DELETE"))).toHaveLength(1);
    expect(calls).toHaveLength(2);
    expect(await container.exists()).toBe(false);
  });

  it("ends every URL that was issued, although a blob was leased", async () => {
    const day = newDay();
    const { container, locations } = await fill(day, 2);
    const urls = await Promise.all(
      locations.map((at) => account.readUrl(at, { fileName: "a.zip", expiresOn: inMinutes(10) })),
    );
    for (const at of locations) {
      await container.getBlobClient(bundleBlobName(at)).getBlobLeaseClient().acquireLease(-1);
    }
    expect(await Promise.all(urls.map(async (url) => (await fetch(url)).status))).toEqual([200, 200]);

    await account.deleteDay(day);

    expect(await Promise.all(urls.map(async (url) => (await fetch(url)).status))).toEqual([404, 404]);
  });

  it("may be repeated, and needs no container", async () => {
    const day = newDay();
    await account.ensureDay(day);
    await account.deleteDay(day);
    await account.deleteDay(day);
    await account.deleteDay(newDay());
  });
});
