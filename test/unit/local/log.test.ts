import { expect, test } from "vitest";
import { redact } from "../../../local/host/log.ts";

test("what would let a reader of the log act is taken out", () => {
  expect(redact("PUT http://h/c/b?sv=1&sig=abc%2F%3D&se=2 failed")).toBe("PUT http://h/c/b?sv=1&sig=…&se=2 failed");
  expect(redact("AccountName=a;AccountKey=c2VjcmV0==;BlobEndpoint=b")).toBe(
    "AccountName=a;AccountKey=…;BlobEndpoint=b",
  );
  expect(redact("authorization: Bearer eyJh.bG-c_i.O~+/=")).toBe("authorization: Bearer …");
});
