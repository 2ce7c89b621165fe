import type { CollectionOptions } from "../api/stamps.ts";
import { capturesHiddenEvents } from "./creation.ts";
import type { StampRecord } from "./stamp.ts";
import { isOlder, type OldestVersions } from "./versions.ts";

/**
 * Which ways of sending are open to a stamp that could ask: the flowchart of `SOURCE.md`. Whoever asks is registered and connected,
 * so proactive collection and "send logs now" are for it; "save logs locally" is for when the line is gone, the privileged endpoint for
 * stamps that are not registered.
 */
export function optionsFor(stamp: StampRecord, oldest: Pick<OldestVersions, "stamp">): CollectionOptions {
  const isTaken = oldest.stamp === undefined || !isOlder(stamp.stampVersion, oldest.stamp);
  const enabled = stamp.state === "enabled" && isTaken;
  const consented = stamp.consent?.state === "enabled";
  const disabled = isTaken
    ? "The stamp is disabled: ask for it to be enabled again."
    : `Logs of stamp version ${stamp.stampVersion} are no longer taken, ${oldest.stamp} is the oldest: update the stamp.`;
  const savedMeanwhile = isTaken
    ? "What is saved can be imported only after that."
    : "What is saved before that is not taken either.";
  return {
    proactive: {
      available: enabled && consented,
      recommended: enabled,
      reasons: [
        enabled ? "Recommended: the stamp is registered and connected to Azure." : disabled,
        consented
          ? "Proactive log collection is enabled."
          : "Proactive log collection is not enabled for the present registration: enable it to have logs collected when a health alert is raised.",
        ...(capturesHiddenEvents(stamp.stampVersion) ? [] : [visibleOnly(stamp)]),
      ],
    },
    sendNow: {
      available: enabled,
      recommended: enabled && !consented,
      reasons: [enabled ? "The stamp is registered and connected: logs can be sent on demand." : disabled],
    },
    saveLocally: {
      available: true,
      recommended: false,
      reasons: [
        "For when the stamp is disconnected or has connectivity trouble; it is connected now.",
        ...(enabled ? [] : [`${disabled} ${savedMeanwhile}`]),
      ],
    },
    privilegedEndpoint: {
      available: true,
      recommended: !enabled,
      reasons: [
        enabled
          ? "For stamps that are not registered; this one is."
          : "Until then logs can be shared from the privileged endpoint (Get-AzureStackLog -OutputSasUri).",
      ],
    },
  };
}

const visibleOnly = ({ stampVersion }: StampRecord): string =>
  `Alerts that the operator sees are covered; failure events that are not seen are captured from stamp version 2008 on, and this one is ${stampVersion}.`;
