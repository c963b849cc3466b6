// Small things that every view does to its elements.

/** Put words in an element, unless they stand there already. */
export function say(el: Element, words: string): void {
  if (el.textContent !== words) el.textContent = words;
}

/** Return the element inside another that a selector names. */
export function find<T extends Element = HTMLElement>(root: Element, selector: string): T {
  return root.querySelector<T>(selector)!;
}

/** Whether the reader has asked for less motion. */
export const still = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;
