/** What is made when it is first asked for, and then kept: a cold start does not pay for what its invocation does without. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
