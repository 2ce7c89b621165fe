import { describe, expect, test } from "vitest";
import { NotSo, teller } from "../../../local/demo/telling.ts";

function listened() {
  let said = "";
  const story = teller((text) => {
    said += text;
  });
  return { story, said: () => said };
}

describe("a claim of the demo", () => {
  test("that holds is told and counted", () => {
    const { story, said } = listened();
    story.claim("the sky is blue", { colour: "blue" }, { colour: "blue" });
    expect(said()).toContain("✓ the sky is blue");
    expect(story.claims()).toBe(1);
  });

  test("that does not hold ends the story, with what was expected and what was seen", () => {
    const { story, said } = listened();
    const failure = (() => {
      try {
        return story.claim("the sky is blue", "green", "blue");
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(NotSo);
    if (failure instanceof NotSo) story.failed(failure);
    expect(said()).not.toContain("✓");
    expect(said()).toMatch(/not so: the sky is blue.*expected +"blue".*seen +"green"/s);
  });
});
