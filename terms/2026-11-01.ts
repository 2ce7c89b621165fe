/**
 * The terms of consent of November 2026. Published: consents name them by the SHA-256 of these bytes, so not one may change.
 * The first part quotes the source's section "How the data is handled" word for word, slips included.
 */
export const november2026 = {
  version: "2026-11-01",
  text: `PROACTIVE LOG COLLECTION: TERMS OF CONSENT
Version 2026-11-01

1. The terms

As published for Azure Stack Hub under "How the data is handled", word for word:

You agree to periodic automatic log collections by Microsoft based only on Azure Stack Hub system health alerts. You also acknowledge and consent to the upload and retention of those logs in an Azure storage account managed and controlled by Microsoft.

The data will be used only troubleshooting system health alerts and won't be used for marketing, advertising, or any other commercial purposes without your consent. The data can be retained for up to 90 days and any data Microsoft collects will be handled following our [standard privacy practices](https://privacy.microsoft.com/).

Any data previously collected with your consent won't be affected by the revocation of your permission.

Logs collected using **Proactive log collection** are uploaded to an Azure storage account managed and controlled by Microsoft. These logs may be accessed by Microsoft in the context of a support case and to improve the health of Azure Stack Hub.

2. What this service does to keep them

Who consents. The operator of an Azure Stack Hub stamp, for that stamp and its present registration. Renewing or
changing the registration ends the consent: proactive log collection is then off until it is enabled again. For logs
that are sent on demand or handed over from a local file share, that action is the consent, for that one bundle.

What is collected. Diagnostic logs, one bundle for each collection. Proactively only when the stamp raises a system
health alert or a failure event while this consent stands.

What for. One purpose or both, as the consent names them; both where it names none:
  troubleshooting   finding and fixing the cause of the alert, or of the problem in a support case;
  productHealth     improving the health of Azure Stack Hub.
Nothing else: no marketing, no advertising, no other commercial purpose.

Who reads it. Engineers who are assigned to an open case that holds the stamp and the bundle, for a stated purpose that
the consent includes. Every access is recorded, and the operator can see it.

How long. Up to 90 days from the moment the bundle is created in this service. Nothing extends that; an earlier reason
to delete wins. A signed certificate of the deletion can be had. The records of consents, accesses and deletions remain
after that; they hold no byte of a bundle.

How to revoke. Disable proactive log collection, at any time. Collection stops at once, and what has not been submitted
by then is canceled. Data collected before with consent is not affected: it stays for its time, and can be read as above.
To have it deleted sooner, ask for the erasure of each bundle; that is a request of its own. Proactive log collection can
be enabled again at any time.
`,
} as const;
