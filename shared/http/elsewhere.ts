import { routes } from "../api/routes.ts";
import { type OtherApp, otherThan, servedBy } from "../apps.ts";
import { DomainError } from "../errors.ts";

/** How an app refuses what the other one serves: by the contract's codes, with the origin to send it to (`docs/decisions/infra-two-apps.md`). */

const servedThere: Readonly<Record<OtherApp["name"], string>> = {
  intake: "Stamps are served at",
  access: "People and services, with their access tokens, are served at",
};

const direction = ({ name, origin }: OtherApp): string => `${servedThere[name]} ${origin}: send the request there.`;

/** The `NotFound` of a route that only the other app has; `undefined` where neither has one for the request. */
export function notServedHere(other: OtherApp, verb: string, path: string): DomainError | undefined {
  const here = otherThan(other.name);
  const found = patterns.some(
    ({ route, pattern }) => route.verb === verb && pattern.test(path) && servedBy(here, route) === undefined,
  );
  return found ? new DomainError("NotFound", `This origin does not serve this route. ${direction(other)}`) : undefined;
}

/** Intake looks at no token, so that none can do anything there: to it every route is a stamp's. */
export const tokenNotTakenHere = (other: OtherApp): DomainError =>
  new DomainError("RoleMissing", `No access token opens anything at this origin. ${direction(other)}`);

export const signatureNotTakenHere = (other: OtherApp): DomainError =>
  new DomainError("TokenMissing", `This origin takes access tokens, and no signature. ${direction(other)}`);

/** As the host matches a route: case ignored, one trailing slash accepted. No id holds a colon, which begins an action. */
const patterns = Object.values(routes).map((route) => ({
  route,
  pattern: new RegExp(`^${route.path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/:]+")}/?$`, "i"),
}));
