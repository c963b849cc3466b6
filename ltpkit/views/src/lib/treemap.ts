// Squarified treemaps: rectangles of given areas that are as square as can be.
// Bruls, Huizing and van Wijk, "Squarified Treemaps", 2000.

export interface Box {
  x: number;
  y: number;
  w: number;
  h: number;
}

/** Return a box for each size, in the order given, that together fill the room. Sizes are above zero. */
export function treemap(sizes: readonly number[], room: Box): Box[] {
  const boxes = new Array<Box>(sizes.length);
  const order = sizes.map((_, i) => i).sort((a, b) => sizes[b] - sizes[a] || a - b);
  let { x, y, w, h } = room;
  let left = sizes.reduce((sum, size) => sum + size, 0);
  for (let at = 0; at < order.length; ) {
    const area = Math.max(w * h, 0) / left; // of a size of one
    const side = Math.min(w, h);
    // A strip along the shorter side takes boxes for as long as its worst one becomes squarer.
    let end = at;
    let sum = 0;
    let worst = Infinity;
    while (end < order.length) {
      const more = sum + sizes[order[end]];
      const depth = (more * area) / side;
      const longest = (sizes[order[at]] * area) / depth;
      const shortest = (sizes[order[end]] * area) / depth;
      const ratio = Math.max(longest / depth, depth / shortest);
      if (ratio > worst) break;
      [worst, sum] = [ratio, more];
      end++;
    }
    const upright = w >= h; // the strip stands at the left, else lies at the top
    const depth = end === order.length ? (upright ? w : h) : (sum * area) / side;
    let offset = 0;
    for (; at < end; at++) {
      const length = (sizes[order[at]] / sum) * side;
      boxes[order[at]] = upright ? { x, y: y + offset, w: depth, h: length } : { x: x + offset, y, w: length, h: depth };
      offset += length;
    }
    if (upright) [x, w] = [x + depth, w - depth];
    else [y, h] = [y + depth, h - depth];
    left -= sum;
  }
  return boxes;
}
