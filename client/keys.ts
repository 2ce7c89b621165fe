import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import { calculateJwkThumbprint } from "jose";
import { z } from "zod";
import type { SigningKey } from "./signing.ts";

/** A stamp's key: EC P-256, which TPM and Windows CNG have too. Its id comes from the key, so no two keys share one. */

const member = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const publicJwk = z.object({ kty: z.literal("EC"), crv: z.literal("P-256"), x: member, y: member });
export const privateJwk = publicJwk.extend({ d: member });

export type PublicJwk = z.infer<typeof publicJwk>;
export type PrivateJwk = z.infer<typeof privateJwk>;

/** A new private key. */
export const generateKey = (): PrivateJwk =>
  privateJwk.parse(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ format: "jwk" }));

/** The half of the key that is registered. */
export const publicHalf = (jwk: PrivateJwk): PublicJwk => publicJwk.parse(jwk);

/** The key as the signing module takes it. */
export const signingKey = async (jwk: PrivateJwk): Promise<SigningKey> => ({
  keyId: await keyIdOf(publicHalf(jwk)),
  privateKey: createPrivateKey({ key: jwk, format: "jwk" }),
});

/** The first characters of the key's thumbprint (RFC 7638). */
export const keyIdOf = async (jwk: PublicJwk): Promise<string> =>
  `k-${(await calculateJwkThumbprint(jwk)).slice(0, 16)}`;
