// Light or dark, and the colours of a view. JupyterLab's own colours come through CSS variables; here is
// what a canvas has to know, and which of the two it is.

export type Theme = "light" | "dark";

function luminance(colour: string): number | null {
  const parts = colour.match(/[\d.]+/g)?.map(Number);
  if (!parts || parts.length < 3 || (parts.length > 3 && parts[3] < 0.5)) return null;
  return (0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]) / 255;
}

/** Return the theme of the page behind an element: whether its nearest painted background is dark. */
export function themeOf(el: HTMLElement): Theme {
  let node: Node | null = el.parentNode;
  while (node) {
    if (node instanceof HTMLElement) {
      const found = luminance(getComputedStyle(node).backgroundColor);
      if (found !== null) return found < 0.5 ? "dark" : "light";
    }
    node = node instanceof ShadowRoot ? node.host : node.parentNode;
  }
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Call `changed` whenever the page may have another theme; return what ends that. */
export function watchTheme(changed: () => void): () => void {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(changed);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-theme", "data-jp-theme-light"] });
  }
  query.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    query.removeEventListener("change", changed);
  };
}

export interface Colours {
  up: string;
  down: string;
  flat: string;
  text: string;
  faint: string;
  line: string;
  back: string;
  accent: string;
}

/** Return the colours in force inside an element that has the class `ltp`. */
export function coloursOf(el: HTMLElement): Colours {
  const style = getComputedStyle(el);
  const of = (name: string) => style.getPropertyValue(`--ltp-${name}`).trim();
  return {
    up: of("up"), down: of("down"), flat: of("flat"), text: of("text"),
    faint: of("faint"), line: of("line"), back: of("back"), accent: of("accent"),
  };
}

let canvas: CanvasRenderingContext2D | null = null;
const mixed = new Map<string, string>();

/** Return a colour, however it is written, with so much of it left, as a canvas takes it. */
export function alpha(colour: string, left: number): string {
  const key = `${colour} ${left}`;
  let found = mixed.get(key);
  if (found === undefined) {
    canvas ??= Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true })!;
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    mixed.set(key, (found = `rgba(${r}, ${g}, ${b}, ${((a / 255) * left).toFixed(3)})`));
  }
  return found;
}
