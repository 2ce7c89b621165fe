import { LineError } from "./errors.ts";

/** What goes wrong between here and the other side: told apart by whether another try could help. */

/** The connection failed or stalled before a whole answer came; `cause` says how. Another try may get through. */
export class ConnectionError extends Error {
  /** Nothing was reached at all, so the address itself may be out of date. */
  readonly nobodyThere: boolean;

  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = "ConnectionError";
    this.nobodyThere = ["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH"].includes(codeOf(cause));
  }
}

/** Codes of OpenSSL and Node for a certificate that nothing here vouches for. */
const untrusted = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|ERR_TLS_CERT_ALTNAME)/;

/** What an exchange that failed throws: a `LineError` where the same try would fail again, else a `ConnectionError`. */
export function lineFailure(error: unknown): Error {
  if (error instanceof LineError) return error;
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = codeOf(cause);
  if (untrusted.test(code)) return new LineError("UntrustedCertificate", untrustedCertificate(cause.message), cause);
  if (code !== "ERR_PROXY_TUNNEL") return new ConnectionError(cause);
  const status = "statusCode" in cause ? Number(cause.statusCode) : 0;
  if (status === 407) return proxyWantsCredentials(cause);
  return status >= 400 && status < 500 ? proxyRefuses(cause) : new ConnectionError(cause);
}

export const proxyWantsCredentials = (cause?: Error): LineError =>
  new LineError(
    "ProxyAuthentication",
    "The proxy does not accept the credentials, or wants some. They stand in its URL: HTTPS_PROXY=http://user:password@proxy:8080",
    cause,
  );

const proxyRefuses = (cause: Error): LineError =>
  new LineError("ProxyRefused", `${cause.message}. Ask whoever runs the proxy to let this machine through.`, cause);

const untrustedCertificate = (reason: string): string =>
  `The other side's certificate is not trusted here (${reason}). Where a proxy on the way opens TLS, give its root certificate: --ca <file>, or NODE_EXTRA_CA_CERTS.`;

const codeOf = (error: Error): string => ("code" in error ? String(error.code) : "");
