import type { BlobServiceClient } from "@azure/storage-blob";
import { dayContainerName, dayContainerPrefix, dayOfContainer } from "../../domain/containers.ts";
import type { UtcDay } from "../../domain/utcDay.ts";
import { hasCode, orUnavailable } from "../failures.ts";
import { deleteContainer } from "./deletion.ts";

export type DayContainers = {
  /** Makes the day's container where it is missing. */
  readonly ensureDay: (day: UtcDay) => Promise<void>;
  /** The days that have a container, oldest first. */
  readonly listDays: () => Promise<readonly UtcDay[]>;
  /** Deletes every byte of the day with one deleting call; returns once the container is gone. Repeating it is safe. */
  readonly deleteDay: (day: UtcDay) => Promise<void>;
};

export function openDayContainers(service: BlobServiceClient): DayContainers {
  const containerOf = (day: UtcDay) => service.getContainerClient(dayContainerName(day));

  return {
    ensureDay: (day) =>
      orUnavailable(async () => {
        try {
          await containerOf(day).create();
        } catch (error) {
          if (!hasCode(error, "ContainerAlreadyExists")) throw error;
        }
      }),

    listDays: () =>
      orUnavailable(async () => {
        const days: UtcDay[] = [];
        for await (const { name } of service.listContainers({ prefix: dayContainerPrefix })) {
          const day = dayOfContainer(name);
          if (day !== undefined) days.push(day);
        }
        return days.sort();
      }),

    deleteDay: (day) => orUnavailable(() => deleteContainer(containerOf(day))),
  };
}
