import type { Bundle } from "../shared/api/bundles.ts";

const verdicts = {
  complete: "it holds what was asked for",
  incomplete: "something that was asked for is missing",
  unknown: "whether it holds what was asked for cannot be told",
} as const;

/** Whether an accepted bundle holds what was asked for, as an operator reads it; nothing where the service has not said so. */
export function completenessLines({ completeness }: Pick<Bundle, "completeness">): string[] {
  if (completeness === undefined) return [];
  const { verdict, findings, suggestedCommand } = completeness;
  return [
    `  content    ${verdict}: ${verdicts[verdict]}`,
    ...findings.map(({ message }) => `             - ${message}`),
    ...(suggestedCommand === undefined
      ? []
      : ["  What is missing is collected on the privileged endpoint by", `    ${suggestedCommand}`]),
  ];
}
