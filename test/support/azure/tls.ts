import { readFileSync } from "node:fs";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { fileURLToPath } from "node:url";

/** HTTPS on 127.0.0.1 with the tests' own certificate, which nothing but a test trusts. */

const pathOf = (name: string) => fileURLToPath(new URL(`../certs/localhost.${name}.pem`, import.meta.url));

/** Paths of the PEM files. */
export const tlsFiles = { cert: pathOf("cert"), key: pathOf("key") } as const;
export const tls = { cert: readFileSync(tlsFiles.cert, "utf8"), key: readFileSync(tlsFiles.key, "utf8") } as const;

/** Makes this process, and those that it starts, trust it. Gives what takes that back. */
export function trustTestCertificate(): () => void {
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, tls.cert]);
  process.env.NODE_EXTRA_CA_CERTS = tlsFiles.cert;
  return () => {
    delete process.env.NODE_EXTRA_CA_CERTS;
    setDefaultCACertificates(before);
  };
}
