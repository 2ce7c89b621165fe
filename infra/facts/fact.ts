import type { z } from "zod";
import { appNames } from "../../shared/apps.ts";
import { appsOf, type DeployedApp, type Deployment, ofType, type Resource } from "./deployment.ts";

/** Something that is true of every deployment of this service. It holds where it finds no problem. */
export type Fact = {
  readonly name: string;
  readonly problems: (deployment: Deployment) => readonly string[];
};

type Problems = Fact["problems"];

/** Every resource of the type looks like this, and there is at least one. */
export const every = (type: string, shape: z.ZodType): Problems => everyOf(type, (all) => ofType(all, type), shape);

/** Every resource that is found looks like this, and there is at least one. */
export const everyOf =
  (what: string, find: (deployment: Deployment) => readonly Resource[], shape: z.ZodType): Problems =>
  (deployment) => {
    const found = find(deployment);
    return found.length === 0 ? [`there is no ${what}`] : found.flatMap((one) => differences(one, shape));
  };

/** Every resource of the type has this child (such as `blobServices/default`), which looks like this. */
export const everyHas =
  (type: string, child: string, shape: z.ZodType): Problems =>
  (deployment) => {
    const found = ofType(deployment, type);
    return found.length === 0
      ? [`there is no ${type}`]
      : found.flatMap((one) => childProblems(deployment, one, child, shape));
  };

/** Both apps are there, with settings, and each is as it should be. */
export const everyApp =
  (judge: (app: DeployedApp, deployment: Deployment) => readonly string[]): Problems =>
  (deployment) => {
    const found = appsOf(deployment);
    return [
      ...appNames.filter((name) => !found.some((app) => app.name === name)).map((name) => `${name}: is not there`),
      ...found.flatMap((app) => judge(app, deployment).map((problem) => `${app.name}: ${problem}`)),
    ];
  };

function childProblems(deployment: Deployment, parent: Resource, child: string, shape: z.ZodType): readonly string[] {
  const found = deployment.find((one) => one.id === `${parent.id}/${child}`);
  return found === undefined ? [`${parent.name}: has no ${child}`] : differences(found, shape);
}

const differences = (resource: Resource, shape: z.ZodType): readonly string[] => {
  const parsed = shape.safeParse(resource);
  if (parsed.success) return [];
  return parsed.error.issues.map((issue) => `${resource.name}: ${issue.path.join(".")}: ${issue.message}`);
};
