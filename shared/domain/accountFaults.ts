/** What a bundle account's settings must not be, each by a name, and what to do about it (`DESIGN.md`, Blobs and Trust). */

export type AccountFault =
  | "blobSoftDelete"
  | "containerSoftDelete"
  | "versioning"
  | "pointInTimeRestore"
  | "objectReplication"
  | "sharedKey"
  | "publicBlobs"
  | "oldTls"
  | "unencrypted";

type Words = {
  /** `AccountKeepsDeleted`: deleting there is no deletion (invariant 3). `AccountUnguarded`: there is a way in beside the roles. */
  readonly code: "AccountKeepsDeleted" | "AccountUnguarded";
  readonly words: string;
};

const keeps = (words: string): Words => ({ code: "AccountKeepsDeleted", words });
const unguarded = (words: string): Words => ({ code: "AccountUnguarded", words });

const faults: Readonly<Record<AccountFault, Words>> = {
  blobSoftDelete: keeps("soft delete of blobs is on, deleted blobs come back; turn it off"),
  containerSoftDelete: keeps("soft delete of containers is on, deleted containers come back; turn it off"),
  versioning: keeps("versioning is on, overwritten and deleted blobs live on as versions; turn it off"),
  pointInTimeRestore: keeps("point-in-time restore is on; turn it off"),
  objectReplication: keeps("it has object replication policies, which keep copies elsewhere; delete them"),
  sharedKey: unguarded("its keys are accepted; turn shared key access off"),
  publicBlobs: unguarded("containers may be made public; turn public blob access off"),
  oldTls: unguarded("it takes TLS older than 1.2; set the least version to 1.2"),
  unencrypted: unguarded("it takes plain HTTP; require secure transfer"),
};

export const describeFault = (fault: AccountFault): Words => faults[fault];

export const keepsDeleted = (fault: AccountFault): boolean => faults[fault].code === "AccountKeepsDeleted";
