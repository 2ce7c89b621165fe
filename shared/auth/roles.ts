/** App roles of Entra ID. */
export const roleNames = ["Registration.Manage", "Cases.Sync", "Support.Engineer", "Compliance.Audit"] as const;
export type RoleName = (typeof roleNames)[number];

/** The letters that `API.md` gives them. */
export const roles = {
  "Registration.Manage": "R",
  "Cases.Sync": "C",
  "Support.Engineer": "E",
  "Compliance.Audit": "A",
} as const satisfies Record<RoleName, string>;
export type Role = (typeof roles)[RoleName];

/** Whom a token speaks for: a person who signed in to an application, or an application alone. */
export type TokenKind = "delegated" | "appOnly";

/** The kinds of token that a role may come in; the first is the usual one. */
export const kindsOf: Readonly<Record<Role, readonly [TokenKind, ...TokenKind[]]>> = {
  R: ["appOnly"],
  C: ["appOnly"],
  E: ["delegated"],
  A: ["delegated", "appOnly"],
};

/** The scope that a delegated token must hold, unless `TOKEN_SCOPE` names another. */
export const defaultScope = "access_as_user";
