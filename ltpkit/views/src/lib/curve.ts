// A small curve without axes, as the paths of an SVG.

import { find } from "./dom";

/** What `trace` draws into: stretched to its box, so a unit is a hundredth of the width. */
export const CURVE =
  '<svg class="curve" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="line"/></svg>';

/** Draw values from left to right, each between 0 and 1; NaN for what is not known. */
export function trace(svg: SVGSVGElement, values: ArrayLike<number>): void {
  let line = "";
  let start = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i])) continue;
    const x = values.length > 1 ? (100 * i) / (values.length - 1) : 100;
    if (!line) start = x;
    line += `${line ? "L" : "M"}${x.toFixed(1)} ${(22 - 19 * values[i]).toFixed(1)}`;
  }
  const drawn = values.length > 1 && line !== "";
  find<SVGPathElement>(svg, ".line").setAttribute("d", drawn ? line : "");
  find<SVGPathElement>(svg, ".area").setAttribute("d", drawn ? `${line}L100 24L${start.toFixed(1)} 24Z` : "");
}
