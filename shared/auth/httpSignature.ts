import { type Dictionary, parseDictionary, serializeDictionary, serializeInnerList } from "structured-headers";
import { DomainError } from "../errors.ts";

/**
 * Verifies one HTTP Message Signature (RFC 9421). Both fields are capped before they are parsed, and each covered value
 * is read once, so the work is linear in what was sent. What a stamp's signature must say is in `stampSignature.ts`.
 */

/** Characters of each field, at the most. */
const longest = { signatureInput: 2048, signature: 512, coveredField: 2048 };

export type SignedMessage = {
  readonly signatureInput: string;
  readonly signature: string;
  /** The value of a derived component or of a field; undefined where the message has none of that name. */
  readonly componentOf: (component: string) => string | undefined;
};

/** What the message says of its signature; nothing of it is verified yet. */
export type SignatureClaims = {
  readonly components: readonly string[];
  readonly parameters: Readonly<Record<string, unknown>>;
};

export type HttpVerifier = {
  readonly algorithm: "ecdsa-p256-sha256" | "ed25519";
  readonly verify: (data: Uint8Array, signature: Uint8Array) => boolean;
};

/**
 * Verifies the message's one signature by the verifier that `verifierFor` chooses from the claims, whose errors pass
 * through. Throws `SignatureMalformed` for what cannot be read, before the verifier is chosen, and `SignatureInvalid`.
 */
export async function verifyHttpSignature(
  message: SignedMessage,
  verifierFor: (claims: SignatureClaims) => Promise<HttpVerifier>,
): Promise<SignatureClaims> {
  const { label, claims, serialized } = readInput(message.signatureInput);
  const signature = readSignature(message.signature, label);
  const base = signatureBase(claims.components, serialized, message.componentOf);
  const { algorithm, verify } = await verifierFor(claims);
  const { alg = algorithm } = claims.parameters;
  if (alg !== algorithm) {
    throw new DomainError(
      "SignatureInvalid",
      "The signature's alg is not the registered key's own. Leave alg out, or name the key's algorithm, and sign again.",
    );
  }
  if (!verify(Buffer.from(base, "latin1"), signature)) {
    throw new DomainError(
      "SignatureInvalid",
      "The signature does not verify with the registered key. Sign method, public URL and headers exactly as sent.",
    );
  }
  return claims;
}

/** `SignatureMalformed` that says what is wrong with the two fields. */
export const malformed = (what: string, cause?: unknown): DomainError =>
  new DomainError(
    "SignatureMalformed",
    `The signature cannot be used: ${what}. Send one Signature-Input and Signature as RFC 9421 has it, and sign again.`,
    { cause },
  );

type Member = Dictionary extends Map<string, infer Value> ? Value : never;

function readInput(field: string): {
  readonly label: string;
  readonly claims: SignatureClaims;
  /** As it stands in the signature base. */
  readonly serialized: string;
} {
  const [label, member] = onlyMember("Signature-Input", field, longest.signatureInput);
  const [items, parameters] = member;
  if (!Array.isArray(items)) throw malformed("Signature-Input must hold a list of components in parentheses");
  const components = items.map(([name, ofComponent]) => {
    if (typeof name !== "string") throw malformed("each component must be a string in quotes");
    if (ofComponent.size > 0) throw malformed(`component ${quoted(name)} must have no parameters`);
    return name;
  });
  const repeated = firstRepeated(components);
  if (repeated !== undefined) throw malformed(`it covers ${quoted(repeated)} twice`);
  return {
    label,
    claims: { components, parameters: Object.fromEntries(parameters) },
    serialized: serializeInnerList([items, parameters]),
  };
}

function readSignature(field: string, label: string): Uint8Array {
  const [name, [value, parameters]] = onlyMember("Signature", field, longest.signature);
  if (name !== label) throw malformed("Signature and Signature-Input must have the same label");
  if (!(value instanceof ArrayBuffer) || parameters.size > 0) {
    throw malformed("Signature must hold base64 between colons, without parameters");
  }
  return new Uint8Array(value);
}

/** The one member of a dictionary field, with its key. */
function onlyMember(name: string, field: string, most: number): [key: string, member: Member] {
  if (field.length > most) throw malformed(`${name} has more than ${most} characters`);
  const dictionary = parsed(name, field);
  const [first, ...more] = dictionary;
  if (first === undefined || more.length > 0) throw malformed(`${name} must hold exactly one signature`);
  // The parser forgives a key that comes twice and `5.0` for 5: what was sent must be what is verified.
  if (withoutSpaces(serializeDictionary(dictionary)) !== withoutSpaces(field)) {
    throw malformed(`${name} is not in its canonical form (RFC 8941, section 4.1), or names a key twice`);
  }
  return first;
}

function parsed(name: string, field: string): Dictionary {
  try {
    return parseDictionary(field);
  } catch (error) {
    throw malformed(`${name} is no dictionary (RFC 8941)`, error);
  }
}

/** RFC 9421, section 2.5. */
function signatureBase(
  components: readonly string[],
  serializedInput: string,
  componentOf: SignedMessage["componentOf"],
): string {
  const lines = components.map((name) => `${quoted(name)}: ${coveredValue(name, componentOf)}`);
  return [...lines, `"@signature-params": ${serializedInput}`].join("\n");
}

function coveredValue(name: string, componentOf: SignedMessage["componentOf"]): string {
  if (!/^@?[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) throw malformed(`${quoted(name)} is no name of a component`);
  const value = componentOf(name);
  if (value === undefined) throw malformed(`it covers ${quoted(name)}, which the request does not have`);
  if (!name.startsWith("@") && value.length > longest.coveredField) {
    throw malformed(`it covers ${quoted(name)}, which has more than ${longest.coveredField} characters`);
  }
  if (!/^[\t\x20-\x7e]*$/.test(value)) throw malformed(`it covers ${quoted(name)}, which is not ASCII text`);
  return value;
}

const quoted = (name: string): string => `"${name.slice(0, 64)}"`;

const withoutSpaces = (text: string): string => text.replaceAll(/[ \t]/g, "");

function firstRepeated(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}
