/** Every kind of caller that a route may meet, by its name here and in the words of the printed table. */
export const callers = {
  nobody: "no credential",
  stamp: "stamp",
  anotherStamp: "another stamp",
  lostStamp: "lost stamp",
  compromisedStamp: "compromised stamp",
  retiredKey: "retired key",
  carrier: "carrier",
  otherCarrier: "another's carrier",
  registration: "R",
  caseSystem: "C",
  grantee: "grantee",
  colleague: "E on the case",
  engineerElsewhere: "E elsewhere",
  engineerNowhere: "E nowhere",
  auditor: "A",
  noRole: "no role",
  twoRoles: "two roles",
  expiredToken: "expired token",
  tokenAndSignature: "token and signature",
} as const;

export type Caller = keyof typeof callers;

/** The same at more length. */
export const explained: Readonly<Record<Caller, string>> = {
  nobody: "neither token nor signature",
  stamp: "the stamp in the path, signing with an active key",
  anotherStamp: "registered, signing with its own key for the path of another",
  lostStamp: "the stamp in the path, disabled as lost; its created bundle is thereby canceled and deleted",
  compromisedStamp: "the stamp in the path, disabled as compromised",
  retiredKey: "the stamp in the path, signing with a key that its registration has left out since",
  carrier: "somebody with the manifest of the bundle in the path, or of an unimported one, and no key",
  otherCarrier: "somebody with the manifest of another bundle of the stamp in the path",
  registration: "`Registration.Manage`",
  caseSystem: "`Cases.Sync`",
  grantee: "`Support.Engineer`, assigned to the case, whose the grant is",
  colleague: "`Support.Engineer`, assigned to the case, whose the grant is not",
  engineerElsewhere: "`Support.Engineer`, assigned to another case",
  engineerNowhere: "`Support.Engineer`, assigned to no case",
  auditor: "`Compliance.Audit`",
  noRole: "a token without a role of the service",
  twoRoles: "a token with `Cases.Sync` and `Support.Engineer`",
  expiredToken: "a token of `Compliance.Audit` that has expired",
  tokenAndSignature: "the stamp in the path and `Compliance.Audit` at once, each good by itself",
};

export const callerNames = Object.keys(callers).filter((name): name is Caller => name in callers);
