import { z } from "zod";
import { hostSettings } from "../local/settings.ts";
import { localSettings, settings } from "../shared/settings.ts";

/** `docs/configuration.md`, made from the schema of the settings. `npm run docs` writes it; a test finds it out of date. */

/** What a setting takes, as its JSON Schema says it once it is read. */
const described = z.object({
  description: z.string(),
  type: z.string().optional(),
  format: z.string().optional(),
  const: z.string().optional(),
  enum: z.array(z.string()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  default: z.union([z.string(), z.number()]).optional(),
});
type Described = z.infer<typeof described>;

const introduction = `# Configuration

Every setting of the service, made from \`shared/settings.ts\` by \`npm run docs\`. They are read once, at start: a setting that is missing,
wrong or in contradiction to another stops the start, and the message names it. An empty value is one that is not set. \`infra/main.bicep\`
sets all that a deployment needs; those with a default are its \`overrides\`. No setting is a secret.

Addresses must be of one cloud (\`AzureCloud\`, \`AzureUSGovernment\` or \`AzureChinaCloud\`) and, outside one machine, begin with \`https://\`.
`;

export function configurationPage(): string {
  const schema = z.toJSONSchema(settings, { io: "output" });
  const needed = new Set(z.toJSONSchema(settings, { io: "input" }).required);
  const all = Object.entries(schema.properties ?? {}).map(([name, value]) => ({ name, ...described.parse(value) }));
  const deployed = all.filter(({ name }) => !localSettings.includes(name));
  const host = z.toJSONSchema(hostSettings, { io: "input" });
  const ofHost = Object.entries(host.properties ?? {}).map(([name, value]) => ({ name, ...described.parse(value) }));
  const chapters = [
    ["In every deployment", deployed.filter((each) => needed.has(each.name) || !isTunable(each))],
    ["What can be chosen", deployed.filter((each) => !needed.has(each.name) && isTunable(each))],
    ["On one machine only", all.filter(({ name }) => localSettings.includes(name))],
    ["Of the embedded host (`npm start`)", ofHost],
  ] as const;
  return [introduction, ...chapters.map(([title, entries]) => `## ${title}\n\n${entries.map(entry).join("\n")}`)].join(
    "\n",
  );
}

const isTunable = ({ type }: Described): boolean => type === "integer" || type === "number";

const entry = ({ name, description, ...rest }: Described & { readonly name: string }): string =>
  `### \`${name}\`\n\n${description}\n\n${sentence([...values(rest), ...byDefault(rest)])}\n`;

/** What may be written, in words. */
function values({
  type,
  format,
  const: only,
  enum: choices,
  minimum,
  maximum,
}: Omit<Described, "description">): string[] {
  if (only !== undefined) return [`always \`${only}\``];
  if (choices !== undefined) return [choices.map((choice) => `\`${choice}\``).join(" or ")];
  if (type === "integer" || type === "number")
    return [`a ${type === "integer" ? "whole " : ""}number from ${minimum} to ${maximum}`];
  if (type === "array" || type === "object") return ["JSON"];
  if (format === "uri") return ["a URL"];
  return [format === "uuid" ? "a GUID" : "text"];
}

const byDefault = ({ default: value }: Omit<Described, "description">): string[] =>
  value === undefined ? [] : [`\`${value}\` where it is not set`];

const sentence = (parts: readonly string[]): string => {
  const text = parts.join("; ");
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
};
