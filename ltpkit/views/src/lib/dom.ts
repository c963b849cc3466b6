// Small things that every view does to its elements.

/** Put words in an element that has nothing else, unless they stand there already. */
export function say(el: Element, words: string): void {
  const there = el.firstChild as Text | null;
  if (there === null) {
    if (words) el.append(words);
  } else if (there.data !== words) there.data = words; // the node stays: half the work of another one
}

/** Return the element inside another that a selector names. */
export function find<T extends Element = HTMLElement>(root: Element, selector: string): T {
  return root.querySelector<T>(selector)!;
}

const motion = matchMedia("(prefers-reduced-motion: reduce)");

/** Whether the reader has asked for less motion. */
export const still = (): boolean => motion.matches;
