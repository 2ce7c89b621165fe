import type { Stamp } from "../../api/stamps.ts";
import { isRetired, type StampRecord, validUntil } from "../../domain/stamp.ts";

/** A stamp as the contract shows it; `realNow` tells which keys are retired. */
export function stampView(stamp: StampRecord, realNow: Date): Stamp {
  const {
    kind: _kind,
    keys,
    consent: _consent,
    consentEpoch: _consentEpoch,
    uploadEpoch: _uploadEpoch,
    load: _load,
    keysInDoubt: _keysInDoubt,
    accessApproval,
    ...shown
  } = stamp;
  return {
    ...shown,
    accessApproval: accessApproval?.mode ?? "notRequired",
    keys: keys.map((key) => {
      const notAfter = validUntil(key);
      return {
        keyId: key.keyId,
        jwk: key.jwk,
        state: isRetired(key, realNow) ? "retired" : "active",
        addedBy: key.addedBy,
        ...(key.notBefore === undefined ? {} : { notBefore: key.notBefore }),
        ...(notAfter === undefined ? {} : { notAfter }),
      };
    }),
  };
}
