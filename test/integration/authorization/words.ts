import { type Situation, states } from "./situations.ts";

/** Situations in words, many at once where they are all the combinations of some states. */

type Kind = keyof Situation;
const kinds: readonly Kind[] = ["case", "grant", "bundle"];

const list = new Intl.ListFormat("en-GB", { type: "disjunction" });

const wordOf = <T extends Record<string, string>>(words: T, state: string): string => words[state] ?? state;

/** One situation: `case open, grant active, bundle accepted`. */
export const describe = (situation: Situation): string => inWords([situation], []);

/** Words for `these` out of `all` that there are; a list where one phrase would say more than is so. */
export function describeAll(these: readonly Situation[], all: readonly Situation[]): string[] {
  const split = kinds.find((kind) => valuesOf(these, kind).size > 1);
  if (split === undefined || isEveryCombination(these, all)) return [inWords(these, all)];
  return [...Map.groupBy(these, (each) => each[split]).values()].flatMap((some) => describeAll(some, all));
}

const valuesOf = (these: readonly Situation[], kind: Kind) => new Set(these.map((each) => each[kind]));

const isEveryCombination = (these: readonly Situation[], all: readonly Situation[]): boolean =>
  all.filter((each) => kinds.every((kind) => valuesOf(these, kind).has(each[kind]))).length === these.length;

/** What is so of all goes without saying. */
function inWords(these: readonly Situation[], all: readonly Situation[]): string {
  return kinds
    .flatMap((kind) => {
      const [words, allWords] = [wordsOf(these, kind), wordsOf(all, kind)];
      return words.length === 0 || words.length === allWords.length ? [] : [`${kind} ${list.format(words)}`];
    })
    .join(", ");
}

const wordsOf = (these: readonly Situation[], kind: Kind): string[] =>
  [...valuesOf(these, kind)].flatMap((state) => (state === undefined ? [] : [wordOf(states[kind], state)]));
