import { describe, expect, it } from "vitest";
import { statusOf } from "../../../shared/api/status.ts";
import { DomainError, errorCodes } from "../../../shared/errors.ts";
import { asRefusal, refusalResponse } from "../../../shared/http/refuse.ts";

/** The table of `API.md`, Errors, copied from there. */
const table: Readonly<Record<number, string>> = {
  400: "MissingApiVersionParameter UnsupportedApiVersionValue InvalidParameter InvalidBody InvalidPath",
  401:
    "TokenMissing TokenInvalid TokenExpired SignatureMissing SignatureMalformed SignatureInvalid SignatureExpired " +
    "SignatureNotYetValid SignatureReplayed KeyUnknown KeyRetired DigestMissing DigestMismatch",
  403:
    "RoleMissing ConflictingRoles StampDisabled ConsentNotGiven TriggerBeforeConsent HiddenEventUnsupported StampVersionTooOld ClientVersionTooOld CaseNotOpen " +
    "GrantNotActive NotTheGrantee PurposeNotConsented PurgeDue RoleNotGranted",
  404: "NotFound",
  409:
    "BundleConflict NothingUploaded UnusableBlob InvalidState KeyConflict GrantConflict DropBoxConflict StampNotOnCase BundleNotLinked " +
    "BundleNotAccepted StaleRevision NotYetDeleted UnreadableFile",
  411: "LengthRequired",
  412: "ConditionNotMet",
  413: "BodyTooLarge",
  415: "UnsupportedMediaType",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
};
const promised = Object.fromEntries(
  Object.entries(table).flatMap(([status, codes]) => codes.split(" ").map((code) => [code, Number(status)])),
);

describe("the status of each error code", () => {
  it("is the one of API.md, and every code has one", () => {
    expect(statusOf).toEqual(promised);
    expect([...errorCodes].sort()).toEqual(Object.keys(promised).sort());
  });
});

describe("the answer to a refusal", () => {
  it.each(errorCodes)("%s is the envelope, with its code in the header", (code) => {
    const { status, headers, jsonBody } = refusalResponse(new DomainError(code, "What to do next."), "Bearer");
    const sent = new Headers(Object.entries(headers ?? {}));
    expect(status).toBe(promised[code]);
    expect(jsonBody).toEqual({ error: { code, message: "What to do next." } });
    expect(sent.get("x-ms-error-code")).toBe(code);
    expect(sent.get("www-authenticate")).toBe(status === 401 ? "Bearer" : null);
    expect(sent.get("retry-after")).toBe(status === 429 || status === 503 ? "5" : null);
  });

  it("tells target, details and when to come back, where they are known", () => {
    const refusal = new DomainError("ServiceUnavailable", "Later.", {
      target: "/a",
      details: [{ code: "B", message: "c" }],
      retryAfterSeconds: 17,
    });
    const { headers, jsonBody } = refusalResponse(refusal, "Bearer");
    expect(headers).toMatchObject({ "retry-after": "17" });
    expect(jsonBody).toEqual({
      error: { code: "ServiceUnavailable", message: "Later.", target: "/a", details: [{ code: "B", message: "c" }] },
    });
  });

  it.each([new TypeError("secret=1"), "a word", undefined, { code: "NotFound" }])(
    "to %o reveals nothing of it",
    (thrown) => {
      const refusal = asRefusal(thrown);
      expect([refusal.code, refusal.cause]).toEqual(["InternalError", thrown]);
      expect(JSON.stringify(refusalResponse(refusal, "Bearer"))).not.toContain("secret");
    },
  );

  it("is one refusal where several items failed alike, and reveals nothing where they did not", () => {
    const later = () => new DomainError("ServiceUnavailable", "Later.");
    expect(asRefusal(new AggregateError([later(), new AggregateError([later()])])).code).toBe("ServiceUnavailable");
    expect(asRefusal(new AggregateError([later(), new TypeError("secret=1")])).code).toBe("InternalError");
  });

  it("is the refusal itself where it is one already", () => {
    const refusal = new DomainError("NotFound", "Not here.");
    expect(asRefusal(refusal)).toBe(refusal);
  });
});
