// Colours of quantities: a scale whose steps look equal, from the page's own background on.

/** Red, green and blue from 0 to 255. */
type RGB = [number, number, number];

const linear = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const gamma = (v: number) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);

/** OKLab of a colour, https://bottosson.github.io/posts/oklab/. */
function toLab([r, g, b]: RGB): RGB {
  const [lr, lg, lb] = [linear(r / 255), linear(g / 255), linear(b / 255)];
  const l = Math.cbrt(0.4122214708 * lr + 0.5363325363 * lg + 0.0514459929 * lb);
  const m = Math.cbrt(0.2119034982 * lr + 0.6806995451 * lg + 0.1073969566 * lb);
  const s = Math.cbrt(0.0883024619 * lr + 0.2817188376 * lg + 0.6299787005 * lb);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromLab([L, a, b]: RGB): RGB {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const byte = (v: number) => Math.round(255 * Math.min(Math.max(gamma(Math.max(v, 0)), 0), 1));
  return [
    byte(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    byte(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    byte(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** Lightness, colourfulness and hue (degrees) along the way, from something to the most. */
const WAYS = {
  dark: [[0.3, 0.07, 275], [0.44, 0.13, 268], [0.58, 0.13, 225], [0.72, 0.14, 175], [0.86, 0.17, 118], [0.96, 0.14, 100]],
  light: [[0.95, 0.03, 220], [0.86, 0.07, 205], [0.74, 0.11, 212], [0.6, 0.14, 238], [0.45, 0.16, 268], [0.28, 0.13, 285]],
};

export interface Scale {
  /** 256 colours as little-endian RGBA words; the first is the background. */
  words: Uint32Array;
  css(step: number): string;
}

/** Return the scale for a theme over a background given as `rgb(…)`. */
export function scaleOf(theme: "light" | "dark", background: string): Scale {
  const parts = background.match(/[\d.]+/g)?.map(Number) ?? [];
  const back: RGB = parts.length >= 3 ? [parts[0], parts[1], parts[2]] : theme === "dark" ? [20, 23, 28] : [255, 255, 255];
  const stops: RGB[] = [toLab(back)];
  for (const [L, chroma, hue] of WAYS[theme]) {
    const turn = (hue * Math.PI) / 180;
    stops.push([L, chroma * Math.cos(turn), chroma * Math.sin(turn)]);
  }
  const colours: RGB[] = [];
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (stops.length - 1);
    const from = Math.min(Math.floor(place), stops.length - 2);
    const part = place - from;
    colours.push(fromLab(stops[from].map((v, j) => v + part * (stops[from + 1][j] - v)) as RGB));
  }
  const words = Uint32Array.from(colours, ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0);
  return { words, css: (step) => `rgb(${colours[Math.min(Math.max(Math.round(step), 0), 255)].join(" ")})` };
}
