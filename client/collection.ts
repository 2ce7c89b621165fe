import type { CollectionOptions } from "../shared/api/stamps.ts";

/** The flowchart of ways to send (`DOMAIN.md`), for when the service cannot be asked: no line to it, or no registration. */

const off = (reason: string) => ({ available: false, recommended: false, reasons: [reason] });
const best = (...reasons: readonly string[]) => ({ available: true, recommended: true, reasons: [...reasons] });

/** Of a registered stamp that is disconnected or has connectivity trouble. */
export const optionsWithoutLine = (): CollectionOptions => ({
  proactive: off(
    "Needs a line to the service: failures that are raised now are not sent. It goes on when the line is back.",
  ),
  sendNow: off("Needs a line to the service. Save the logs locally now and send them later."),
  saveLocally: best(
    "The stamp is registered and the service cannot be reached: save the logs to a local share, and send them from there when a machine has a line.",
    "Nobody watches that share's size: keep it from filling.",
  ),
  privilegedEndpoint: {
    available: true,
    recommended: false,
    reasons: [
      "For stamps that are not registered; this one is. It also shares logs to a file share, where support asks for that.",
    ],
  },
});

/** Of a stamp that is not registered. */
export const optionsUnregistered = (): CollectionOptions => ({
  proactive: off("The stamp is not registered: register it to have logs collected when an alert is raised."),
  sendNow: off("The stamp is not registered: register it to send logs on demand."),
  saveLocally: off(
    "The stamp is not registered: what is saved locally could not be signed for. Share logs from the privileged endpoint.",
  ),
  privilegedEndpoint: best(
    "The stamp is not registered: share logs from the privileged endpoint. Support opens a place for them and sends its URL.",
  ),
});

/** Of a stamp that the service knows and does not listen to: it is disabled, or its key is retired, and then signs for nothing. `why` is a sentence. */
export const optionsRefused = (why: string, keyIsRetired: boolean): CollectionOptions => ({
  proactive: off(why),
  sendNow: off(why),
  saveLocally: keyIsRetired
    ? off(`${why} What is saved with this key is not taken.`)
    : { available: true, recommended: false, reasons: [`${why} What is saved can be imported only after that.`] },
  privilegedEndpoint: best(
    `${why} Until then share logs from the privileged endpoint. Support opens a place for them and sends its URL.`,
  ),
});

/** What to type on the privileged endpoint; the URL is the container's, from support. */
export const privilegedEndpointCommands: readonly string[] = [
  "$session = New-PSSession -ComputerName <privileged endpoint> -ConfigurationName PrivilegedEndpoint -Credential <CloudAdmin> -SessionOption (New-PSSessionOption -Culture en-US -UICulture en-US)",
  'Invoke-Command -Session $session { Get-AzureStackLog -OutputSasUri "<URL from support>" -FromDate (Get-Date).AddHours(-4) -ToDate (Get-Date) }',
];
