import { describe, expect, it } from "vitest";
import { currentTerms, terms } from "../../../terms/index.ts";

/** What was published, and the SHA-256 that receipts name it by. A line is added for a new version; none is ever changed. */
const frozen: Readonly<Record<string, string>> = {
  "2026-11-01": "752d8114cc1b35b8adc20310148d2c9810a6fa782ed3b456da7add9842e23cf8",
};

/** The source's section, paragraph by paragraph. */
const howTheDataIsHandled = [
  "You agree to periodic automatic log collections by Microsoft based only on Azure Stack Hub system health alerts. You also acknowledge and consent to the upload and retention of those logs in an Azure storage account managed and controlled by Microsoft.",
  "The data will be used only troubleshooting system health alerts and won't be used for marketing, advertising, or any other commercial purposes without your consent. The data can be retained for up to 90 days and any data Microsoft collects will be handled following our [standard privacy practices](https://privacy.microsoft.com/).",
  "Any data previously collected with your consent won't be affected by the revocation of your permission.",
  "Logs collected using **Proactive log collection** are uploaded to an Azure storage account managed and controlled by Microsoft. These logs may be accessed by Microsoft in the context of a support case and to improve the health of Azure Stack Hub.",
];

describe("the terms of consent", () => {
  it("never change once they are published", () => {
    expect(Object.fromEntries(terms.map(({ version, sha256 }) => [version, sha256]))).toEqual(frozen);
  });

  it("have one current version, the newest", () => {
    expect(terms.filter(({ current }) => current)).toEqual([currentTerms]);
    const versions = terms.map(({ version }) => version);
    expect(versions).toEqual([...new Set(versions)].sort().reverse());
    expect(currentTerms.version).toBe(versions[0]);
  });

  it.each(terms)("are plain text that every terminal shows: $version", ({ version, text }) => {
    expect(version).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    expect(text).toMatch(/^[\x20-\x7e\n]+$/);
    expect(text).toMatch(/[^\n]\n$/);
    expect(text.split("\n")[1]).toBe(`Version ${version}`);
  });

  it("quote the source word for word, in its order", () => {
    expect(currentTerms.text).toContain(`\n\n${howTheDataIsHandled.join("\n\n")}\n\n`);
  });

  it.each(["Who consents", "What is collected", "What for", "Who reads it", "How long", "How to revoke"])(
    "answer: %s",
    (question) => {
      expect(currentTerms.text).toContain(`\n\n${question}. `);
    },
  );

  it("name both purposes by the words of the contract", () => {
    expect(currentTerms.text).toMatch(/^ {2}troubleshooting /m);
    expect(currentTerms.text).toMatch(/^ {2}productHealth /m);
  });

  it("say that revoking touches nothing collected before", () => {
    expect(currentTerms.text).toContain("Data collected before with consent is not affected");
  });
});
