import type { UploadCheck } from "../api/preflight.ts";
import {
  clientVersionIsTaken,
  consentStands,
  hiddenEventIsSupported,
  type Question,
  type Rule,
  refusalBy,
  stampIsEnabled,
  stampVersionIsTaken,
} from "./creation.ts";
import type { StormRefusal } from "./storms.ts";

/** The rules that a create is held to, asked before there is anything to create: each with how it stands. */

type Check = UploadCheck["checks"][number];

const creationChecks: readonly { name: string; rule: Rule; fine: (question: Question) => string }[] = [
  {
    name: "registration",
    rule: stampIsEnabled,
    fine: ({ stamp }) =>
      `Registered as "${stamp.displayName}", generation ${stamp.registrationGeneration}, and enabled.`,
  },
  { name: "consent", rule: consentStands, fine: consentInWords },
  {
    name: "stampVersion",
    rule: stampVersionIsTaken,
    fine: ({ request }) => `Logs of ${request.stampVersion} are taken.`,
  },
  {
    name: "clientVersion",
    rule: clientVersionIsTaken,
    fine: ({ clientVersion }) =>
      clientVersion === undefined
        ? "Not the reference client: its version is not asked."
        : `${clientVersion} is taken.`,
  },
  {
    name: "trigger",
    rule: hiddenEventIsSupported,
    fine: ({ request }) =>
      request.trigger === undefined ? "None: an operator sends." : "Logs for this fault are taken.",
  },
];

/** How each rule stands; `refusal` is the storm rules' own, where one refuses. */
export function checksOf(
  question: Question,
  { sizeBytes, maxBundleBytes }: { readonly sizeBytes: number | undefined; readonly maxBundleBytes: number },
  refusal: StormRefusal | undefined,
): Check[] {
  return [
    ...creationChecks.map(({ name, rule, fine }): Check => {
      if (rule.allows(question)) return { name, ok: true, message: fine(question) };
      return { name, ok: false, code: rule.code, message: refusalBy(rule, question) };
    }),
    sizeCheck(sizeBytes, maxBundleBytes),
    refusal === undefined
      ? { name: "rates", ok: true, message: "There is room for it now." }
      : { name: "rates", ok: false, code: "TooManyRequests", message: `Rule ${refusal.rule}: ${refusal.message}` },
  ];
}

function consentInWords({ stamp, request }: Question): string {
  const proactive = stamp.consent?.state === "enabled" ? "is enabled" : "is not enabled";
  return request.mode === "proactive"
    ? `Proactive collection ${proactive}.`
    : `An operator's command is the consent. Proactive collection ${proactive}.`;
}

function sizeCheck(sizeBytes: number | undefined, maxBundleBytes: number): Check {
  const name = "size";
  if (sizeBytes === undefined || sizeBytes <= maxBundleBytes)
    return { name, ok: true, message: `A bundle may have up to ${maxBundleBytes} bytes.` };
  const message = `A bundle may have at most ${maxBundleBytes} bytes. Collect fewer roles or a shorter window.`;
  return { name, ok: false, code: "InvalidBody", message };
}
