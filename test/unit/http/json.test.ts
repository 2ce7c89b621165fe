import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { text } from "../../../shared/api/primitives.ts";
import { DomainError } from "../../../shared/errors.ts";
import { parseBody } from "../../../shared/http/json.ts";

const anything = z.unknown();
const person = z.strictObject({
  name: text,
  age: z.int().optional(),
  friends: z.array(z.strictObject({ name: text })).optional(),
});

type Body = string | Uint8Array | undefined;
const parse = <T>(body: Body, schema: z.ZodType<T>, contentType: string | null = "application/json") =>
  parseBody(typeof body === "string" ? Buffer.from(body) : body, contentType, schema);

function refusal(body: Body, schema: z.ZodType = anything, contentType?: string | null): DomainError {
  try {
    parse(body, schema, contentType);
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error("The body was accepted");
}
const refused = (body: Body, schema: z.ZodType = anything) => {
  const { code, target } = refusal(body, schema);
  return [code, target];
};

describe("the media type", () => {
  it.each([
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "application/json ; charset=utf-8 ",
  ])("%s is taken", (contentType) => {
    expect(parse("{}", anything, contentType)).toEqual({});
  });

  it.each([
    null,
    "",
    "text/plain",
    "text/json",
    "application/json; charset=iso-8859-1",
    "application/json, text/plain",
    "application/jsonx",
    "application/merge-patch+json",
  ])("%s is not", (contentType) => {
    expect(refusal("{}", anything, contentType).code).toBe("UnsupportedMediaType");
  });

  it("is looked at before the body", () => {
    expect(refusal("{", anything, "text/plain").code).toBe("UnsupportedMediaType");
  });
});

describe("what is no JSON in UTF-8", () => {
  it.each([
    ["nothing", undefined],
    ["an empty body", ""],
    ["spaces", "  "],
    ["half an object", '{"name":'],
    ["two values", "{} {}"],
    ["a comment", '{"name":"Ann"/* hi */}'],
    ["a comma at the end", '{"name":"Ann",}'],
    ["single quotes", "{'name':'Ann'}"],
    ["NaN", '{"age":NaN}'],
    ["a control character in a string", '{"name":"a\u0001"}'],
    ["a line break in a string", '{"name":"a\nb"}'],
    ["a broken UTF-8 sequence", Uint8Array.of(0x22, 0xc3, 0x28, 0x22)],
    ["an overlong UTF-8 sequence", Uint8Array.of(0x22, 0xc0, 0xaf, 0x22)],
    ["a surrogate in UTF-8", Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)],
    ["UTF-16", Buffer.from("{}", "utf16le")],
    ["Latin-1", Buffer.from('{"name":"Ann Müller"}', "latin1")],
  ])("%s is InvalidBody", (_, body) => {
    expect(refused(body)).toEqual(["InvalidBody", ""]);
  });

  it("a byte order mark before it is passed over, as RFC 8259 allows", () => {
    expect(parse(Uint8Array.of(0xef, 0xbb, 0xbf, ...Buffer.from('{"name":"Ann"}')), person)).toEqual({ name: "Ann" });
  });
});

describe("a key that stands twice", () => {
  it.each([
    ["at the top", '{"name":"Ann","name":"Bob"}', "/name"],
    ["with the same value", '{"name":"Ann","name":"Ann"}', "/name"],
    ["not side by side", '{"name":"Ann","age":1,"name":"Bob"}', "/name"],
    ["spelled with an escape", '{"name":"Ann","\\u006eame":"Bob"}', "/name"],
    ["in an object", '{"a":{"b":1,"b":2}}', "/a/b"],
    ["in a list", '{"friends":[{"name":"Ann"},{"name":"Bob","name":"Cid"}]}', "/friends/1/name"],
    ["deep in it", '[[[{"a":[{"b":{"c":1,"c":2}}]}]]]', "/0/0/0/a/0/b/c"],
    ["with a name that a pointer escapes", '{"a/b~c":1,"a/b~c":2}', "/a~1b~0c"],
    ["that is empty", '{"":1,"":2}', "/"],
  ])("%s is InvalidBody there", (_, body, target) => {
    expect(refused(body)).toEqual(["InvalidBody", target]);
  });

  it("is no repetition in another object", () => {
    expect(parse('{"a":{"name":1},"b":{"name":1},"c":[{"name":1},{"name":1}],"name":1}', anything)).toBeDefined();
  });

  it("is found in whatever JSON, wherever it is", () => {
    const names = fc.array(fc.string({ maxLength: 4 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(names, fc.jsonValue(), fc.nat(4), (path, value, depth) => {
        const [name = ""] = path;
        const key = JSON.stringify(name);
        let body = `{${key}:${JSON.stringify(value)},${key}:1}`;
        for (const outer of path.slice(0, depth)) body = `{${JSON.stringify(outer)}:[${body}]}`;
        expect(refused(body)[0]).toBe("InvalidBody");
      }),
    );
  });

  it("is not found where there is none: what JSON.stringify writes is taken as it is", () => {
    const noProto = (value: unknown): boolean => !JSON.stringify(value).includes('"__proto__"');
    fc.assert(
      fc.property(fc.jsonValue().filter(noProto), (value) => {
        const written = JSON.stringify(value);
        expect(parse(written, anything)).toEqual(JSON.parse(written));
      }),
    );
  });
});

describe("a key by the name of __proto__", () => {
  it.each([
    ['{"__proto__":{"admin":true}}', "/__proto__"],
    ['{"name":"Ann","__proto__":null}', "/__proto__"],
    ['{"\\u005f_proto__":1}', "/__proto__"],
    ['[{"a":{"__proto__":1}}]', "/0/a/__proto__"],
  ])("%s is an unknown field", (body, target) => {
    expect(refused(body)).toEqual(["InvalidBody", target]);
    expect(Object.prototype).not.toHaveProperty("admin");
  });

  it.each(["constructor", "toString", "hasOwnProperty", "prototype"])("%s is unknown, and nothing worse", (name) => {
    expect(refused(`{"name":"Ann","${name}":1}`, person)).toEqual(["InvalidBody", `/${name}`]);
  });
});

describe("deep nesting", () => {
  it.each([
    ["lists", "[".repeat(8000) + "]".repeat(8000)],
    ["objects", `${'{"a":'.repeat(2700)}1${"}".repeat(2700)}`],
    ["lists that are never closed", "[".repeat(16_000)],
  ])("of %s, as deep as a body allows, is an answer and no crash", (_, body) => {
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(16 * 1024);
    expect(refusal(body, person).code).toBe("InvalidBody");
  });
});

describe("what the schema refuses", () => {
  it.each([
    ["an unknown field", '{"name":"Ann","nmae":1}', "/nmae"],
    ["one in a list", '{"name":"Ann","friends":[{"name":"Bob"},{"nmae":1,"name":"Cid"}]}', "/friends/1/nmae"],
    ["a wrong type", '{"name":1}', "/name"],
    ["a missing field", "{}", "/name"],
    ["another kind of value", "[]", ""],
    ["null", "null", ""],
    ["an empty string", '{"name":""}', "/name"],
    ["a lone surrogate", '{"name":"\\ud800"}', "/name"],
    ["a control character by its escape", '{"name":"a\\u0000"}', "/name"],
    ["a C1 control character", '{"name":"a\u0085"}', "/name"],
    ["a fraction for a whole number", '{"name":"Ann","age":1.5}', "/age"],
    ["a number beyond what is exact", '{"name":"Ann","age":9007199254740993}', "/age"],
  ])("%s is named with its place", (_, body, target) => {
    expect(refused(body, person)).toEqual(["InvalidBody", target]);
  });

  it("is all told at once, up to ten", () => {
    const { details, target, message } = refusal('{"name":1,"age":"x"}', person);
    expect(details.map((each) => [each.code, each.target])).toEqual([
      ["InvalidBody", "/name"],
      ["InvalidBody", "/age"],
    ]);
    expect(target).toBe("/name");
    expect(message).toMatch(/ at \/name\. Correct the body and send it again\.$/);
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`unknown${n}`, n]));
    expect(refusal(JSON.stringify(many), person).details).toHaveLength(10);
  });

  it("never tells a name that is long, or not Unicode, as it came", () => {
    const { target = "", message } = refusal(
      JSON.stringify({ name: "Ann", ["x".repeat(5000)]: 1, "\ud800": 1 }),
      person,
    );
    expect(target.length).toBeLessThanOrEqual(200);
    expect(message.length).toBeLessThan(400);
    const { target: surrogate = "" } = refusal('{"name":"Ann","\\ud800":1}', person);
    expect(surrogate.isWellFormed()).toBe(true);
  });
});

it("text of any language, emoji and all, is taken as it came", () => {
  for (const name of ["Müller", "山田", "👩‍💻", "عمر", "𝒳", "a b", "\u00e9", "e\u0301"]) {
    expect(parse(JSON.stringify({ name }), person)).toEqual({ name });
  }
});

it("no bytes whatever are anything else than a value or a refusal of the contract", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        parse(bytes, person);
      } catch (error) {
        expect(error).toBeInstanceOf(DomainError);
      }
    }),
  );
});
