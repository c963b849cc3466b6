// The depth history: what waited at each price over time, as colours; best bid and ask as lines, trades as dots.

import { say } from "./lib/dom";
import { price, qty } from "./lib/format";
import { scaleOf, type Scale } from "./lib/heat";
import { mount, type Drawing, type Page } from "./lib/mount";
import { ticksOfPrice, ticksOfTime, timeText } from "./lib/axes";
import type { Message } from "./lib/wire";
import style from "./depth_history.css";

const SECONDS = [30, 60, 120, 300, 900, 3600];
const LEVELS = [5, 10, 20, 50, 200];
const ROW = 2; // pixels of a row of prices at least
const FOOT = 22; // time axis
const FINE = 30; // of the logarithmic scale: how far small quantities are told apart
const MEASURE_MS = 1_000; // between two looks at what counts as large
const SPECK = 1.6; // radius up to which a trade is a square: a circle costs five times as much, and looks the same
const DOT = 8; // radius of a large trade

/** The window's columns, oldest first. A column stands until the next begins. */
interface Picture {
  bucket: number[];
  /** Prices and quantities of a column's levels begin at `at`. */
  parts: { message: Message; at: number }[];
}

/** Where things are drawn, in CSS pixels. */
interface Plot {
  width: number;
  height: number;
  from: number; // bucket at the left edge
  to: number; // and at the right
  low: number; // price of the lowest row
  step: number; // prices from row to row
  rows: number;
}

function draw(page: Page): Drawing {
  page.head.innerHTML =
    '<select class="symbol" aria-label="Symbol"></select><span class="grow"></span>' +
    '<select class="seconds" aria-label="Window"></select><select class="levels" aria-label="Levels"></select>' +
    '<select class="scale" aria-label="Scale of colours"><option value="log">log</option><option value="sqrt">root</option></select>' +
    '<button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>';
  page.body.innerHTML =
    '<div class="legend"><span class="quote"></span><span class="grow"></span>' +
    '<span class="dots"><i class="up"></i>buyer <i class="down"></i>seller</span>' +
    '<span class="sizes"><span>0</span><i></i><span class="most"></span></span></div>' +
    '<div class="plot"><canvas tabindex="0" role="img" data-lm-suppress-shortcuts="true"></canvas><div class="tip" role="status"></div></div>';
  const find = <T extends HTMLElement>(what: string) => page.root.querySelector<T>(what)!;
  const symbols = find<HTMLSelectElement>(".symbol");
  const seconds = find<HTMLSelectElement>(".seconds");
  const levels = find<HTMLSelectElement>(".levels");
  const scales = find<HTMLSelectElement>(".scale");
  const pause = find<HTMLButtonElement>(".pause");
  const canvas = find<HTMLCanvasElement>("canvas");
  const tip = find(".tip");
  const quote = find(".quote");
  const most = find(".most");
  const ramp = find(".sizes i");
  const image = document.createElement("canvas");
  const stretched = document.createElement("canvas");
  const ink = canvas.getContext("2d")!;

  let base: Message | null = null;
  let newest: Message | null = null;
  let scale: Scale = scaleOf("light", "");
  let picture: Picture = { bucket: [], parts: [] };
  let grid = new Float32Array(0);
  const steps = new Uint8Array(1024); // the scale is asked a thousand times, not for each point
  let shown: Plot | null = null;
  let large = 0; // the quantity that has the last colour
  let measuredAt = 0;
  let filled: { plot: Plot; begin: number; columns: number; last: number } | null = null; // what the grid holds
  let coloured: { scale: Scale; large: number; by: string; begin: number } | null = null; // what is in the image
  let room = { width: 0, height: 0 }; // asked for when it changes, as that lays the page out
  let cursor: { x: number; y: number } | null = null;
  let axis = 60;

  symbols.addEventListener("change", () => page.choose("symbol", symbols.value));
  seconds.addEventListener("change", () => page.choose("seconds", Number(seconds.value)));
  levels.addEventListener("change", () => page.choose("levels", Number(levels.value)));
  scales.addEventListener("change", () => {
    page.choose("scale", scales.value);
    paint();
  });
  pause.addEventListener("click", () => page.choose("paused", !page.chosen("paused")));
  canvas.addEventListener("pointermove", (event) => {
    cursor = { x: event.offsetX, y: event.offsetY };
    paint();
  });
  canvas.addEventListener("pointerleave", () => {
    cursor = null;
    paint();
  });
  canvas.addEventListener("blur", () => {
    cursor = null;
    paint();
  });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Escape") cursor = null;
    else if (!way || !shown) return;
    else if (!cursor) cursor = { x: shown.width - 0.1, y: shown.height / 2 };
    else {
      const { width, height, rows, from, to } = shown;
      const { x, y } = cursor;
      const far = event.shiftKey ? 10 : 1;
      const across = x + way[0] * far * Math.max(width / (to - from), 2);
      const down = y + way[1] * far * (height / rows);
      cursor = { x: Math.min(Math.max(across, 0), width - 0.1), y: Math.min(Math.max(down, 0), height - 1) };
    }
    event.preventDefault();
    paint();
  });

  /** Put base and frame together: the frame's columns replace the base's from its first on. */
  function gather(): void {
    picture = { bucket: [], parts: [] };
    const from = newest?.columns.bucket.length ? newest.columns.bucket[0] : Infinity;
    for (const message of [base, newest]) {
      if (!message) continue;
      const { bucket } = message.columns;
      for (let i = 0; i < bucket.length; i++) {
        if (message === base && bucket[i] >= from) break;
        picture.bucket.push(bucket[i]);
        picture.parts.push({ message, at: i * base!.header.levels });
      }
    }
  }

  /** Return which column stood at a bucket, -1 before the first. */
  function columnAt(bucket: number): number {
    let low = 0;
    let high = picture.bucket.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (picture.bucket[middle] <= bucket) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Return the prices to show: all of the window, with what was shown before where that is not much more. */
  function range(first: number, width: number, height: number, from: number, to: number): Plot | null {
    let low = Infinity;
    let high = -Infinity;
    const look = (value: number) => {
      if (value < low) low = value; // false for NaN
      if (value > high) high = value;
    };
    const count = base!.header.levels;
    for (let i = Math.max(first, 0); i < picture.bucket.length; i++) {
      const { message, at } = picture.parts[i];
      for (const side of ["bid_price", "ask_price"]) {
        const column = message.columns[side];
        look(column[at]);
        let last = at + count - 1; // the outermost level there is
        while (last > at && Number.isNaN(column[last])) last--;
        look(column[last]);
      }
    }
    if (low > high) return null;
    low -= tick();
    high += tick();
    const before = shown && shown.low <= low && shown.low + shown.rows * shown.step >= high ? shown : null;
    if (before && before.rows * before.step < 1.35 * (high - low) && before.height === height) {
      return { ...before, width, from, to };
    }
    const spare = before ? 0 : 0.04 * (high - low);
    const step = tick() * Math.max(1, Math.ceil((high - low + 2 * spare) / tick() / (height / ROW)));
    low = Math.floor((low - spare) / step) * step;
    const rows = Math.ceil((high + spare - low) / step) + 1;
    return { width, height, from, to, low, step, rows };
  }

  /** The smallest step of prices. */
  const tick = () => (base!.header.step || 10 ** -base!.header.decimals) as number;

  const xOf = (plot: Plot, bucket: number) => ((bucket - plot.from) / (plot.to - plot.from)) * plot.width;
  const yOf = (plot: Plot, value: number) =>
    plot.height * (1 - ((value - plot.low) / plot.step + 0.5) / plot.rows);

  /** Fill the grid, a quantity for each bucket and row; return from which column on it is another one. */
  function fill(plot: Plot): number {
    const begin = Math.floor(plot.from);
    const columns = Math.ceil(plot.to) - begin;
    const { rows, low, step } = plot;
    const by = filled ? begin - filled.begin : 0; // columns that have gone
    const goesOn =
      filled !== null && by >= 0 && by < columns && filled.columns === columns &&
      filled.plot.rows === rows && filled.plot.low === low && filled.plot.step === step;
    let fresh = 0;
    if (goesOn) {
      // What came before the newest column of the last time is as it was.
      fresh = Math.min(Math.max(filled!.last - begin, 0), columns);
      for (let line = 0; line < grid.length; line += columns) {
        if (by) grid.copyWithin(line, line + by, line + columns);
        grid.fill(0, line + fresh, line + columns);
      }
    } else if (grid.length === columns * rows) grid.fill(0);
    else grid = new Float32Array(columns * rows);
    const count = base!.header.levels;
    for (let i = Math.max(columnAt(begin + fresh), 0); i < picture.bucket.length; i++) {
      const { message, at } = picture.parts[i];
      const left = Math.max(picture.bucket[i] - begin, fresh);
      const right = Math.min((picture.bucket[i + 1] ?? Infinity) - begin, columns);
      for (const side of ["bid", "ask"]) {
        const prices = message.columns[`${side}_price`];
        const sizes = message.columns[`${side}_qty`];
        for (let level = at; level < at + count; level++) {
          const row = Math.floor((prices[level] - low) / step + 1e-6);
          if (!(row >= 0 && row < rows)) continue; // NaN too
          const line = (rows - 1 - row) * columns;
          for (let x = left; x < right; x++) grid[line + x] += sizes[level];
        }
      }
    }
    filled = { plot, begin, columns, last: picture.bucket.at(-1) ?? begin };
    if (!goesOn || performance.now() - measuredAt > MEASURE_MS) measure();
    return fresh;
  }

  /** Choose what counts as large. */
  function measure(): void {
    measuredAt = performance.now();
    const sample: number[] = [];
    for (let i = 0; i < grid.length; i += 7) if (grid[i] > 0) sample.push(grid[i]);
    sample.sort((a, b) => a - b);
    const wanted = sample[Math.floor(0.98 * (sample.length - 1))] || 1;
    if (!(large > 0.75 * wanted && large < 1.35 * wanted)) large = wanted;
  }

  const share = (size: number) => {
    const part = Math.min(size / large, 1);
    return page.chosen("scale") === "sqrt" ? Math.sqrt(part) : Math.log1p(FINE * part) / Math.log1p(FINE);
  };

  /** Paint the grid: what is there moves along, only columns from `fresh` on are coloured. */
  function paintHeat(plot: Plot, fresh: number): void {
    const { columns, begin } = filled!;
    const by = page.chosen("scale") as string;
    const height = Math.round(plot.height * devicePixelRatio);
    const goesOn =
      fresh > 0 && coloured?.scale === scale && coloured.large === large && coloured.by === by &&
      image.width === columns && image.height === plot.rows && stretched.height === height;
    const first = goesOn ? fresh : 0;
    const gone = goesOn ? begin - coloured!.begin : 0;
    const wide = columns - first;
    const flat = image.getContext("2d")!;
    const up = stretched.getContext("2d")!;
    if (!goesOn) {
      [image.width, image.height] = [columns, plot.rows];
      [stretched.width, stretched.height] = [columns, height];
      for (let i = 0; i < steps.length; i++) steps[i] = Math.round(14 + 241 * share((i / (steps.length - 1)) ** 2 * large));
    }
    coloured = { scale, large, by, begin };
    const pixels = new ImageData(wide, plot.rows);
    const words = new Uint32Array(pixels.data.buffer);
    for (let row = 0, i = 0; row < plot.rows; row++) {
      for (let at = row * columns + first; at < (row + 1) * columns; at++, i++) {
        const size = grid[at];
        words[i] = scale.words[size > 0 ? steps[Math.round((steps.length - 1) * Math.sqrt(Math.min(size / large, 1)))] : 0];
      }
    }
    flat.putImageData(pixels, first, 0);
    // Where columns are narrower than pixels they are mixed, rows never are: first up, then across.
    up.imageSmoothingEnabled = false;
    if (gone) {
      up.globalCompositeOperation = "copy";
      up.drawImage(stretched, -gone, 0);
      up.globalCompositeOperation = "source-over";
    }
    up.drawImage(image, first, 0, wide, plot.rows, first, 0, wide, height);
    const left = xOf(plot, begin);
    const right = xOf(plot, begin + columns);
    ink.imageSmoothingEnabled = columns > (right - left) * devicePixelRatio;
    ink.drawImage(stretched, left, 0, right - left, plot.height);
  }

  function paintGaps(plot: Plot): void {
    const { origin, bucket } = base!.header;
    for (const [start, end] of newest!.header.gaps as [number, number | null][]) {
      const left = Math.max(xOf(plot, (start - origin) / bucket), 0);
      const right = end === null ? plot.width : Math.min(xOf(plot, (end - origin) / bucket), plot.width);
      if (right <= left) continue;
      ink.save();
      ink.beginPath();
      ink.rect(left, 0, Math.max(right - left, 1), plot.height);
      ink.clip();
      ink.fillStyle = page.colours.back;
      ink.fillRect(left, 0, right - left, plot.height);
      ink.strokeStyle = page.colours.line;
      ink.lineWidth = 1;
      ink.beginPath();
      for (let x = left - plot.height; x < right; x += 8) {
        ink.moveTo(x, plot.height);
        ink.lineTo(x + plot.height, 0);
      }
      ink.stroke();
      ink.restore();
    }
  }

  /** Whether two columns have the same best price. */
  function sameBest(one: number, other: number, side: string): boolean {
    const [a, b] = [picture.parts[one], picture.parts[other]];
    return a.message.columns[side][a.at] === b.message.columns[side][b.at];
  }

  function paintQuotes(plot: Plot, first: number): void {
    for (const [side, colour] of [["bid_price", page.colours.up], ["ask_price", page.colours.down]]) {
      const path = new Path2D();
      let drawn = false;
      for (let i = Math.max(first, 0); i < picture.bucket.length; i++) {
        const { message, at } = picture.parts[i];
        const best = message.columns[side][at];
        const left = Math.max(xOf(plot, picture.bucket[i]), 0);
        const right = Math.min(xOf(plot, picture.bucket[i + 1] ?? plot.to), plot.width);
        if (Number.isNaN(best)) {
          drawn = false;
          continue;
        }
        const y = yOf(plot, best);
        const on = picture.bucket[i + 1] !== undefined && sameBest(i, i + 1, side);
        if (!drawn) path.moveTo(left, y);
        else if (!sameBest(i - 1, i, side)) path.lineTo(left, y);
        if (!on) path.lineTo(right, y);
        drawn = true;
      }
      ink.lineJoin = "round";
      ink.lineWidth = 3.5;
      ink.strokeStyle = page.colours.back;
      ink.stroke(path);
      ink.lineWidth = 1.5;
      ink.strokeStyle = colour;
      ink.stroke(path);
    }
  }

  function paintTrades(plot: Plot): void {
    const { up, down, flat, back } = page.colours;
    const dots: { x: number; y: number; size: number; side: number }[] = [];
    for (const { columns } of [base!, newest!]) {
      for (let i = 0; i < columns.trade_bucket.length; i++) {
        const x = xOf(plot, columns.trade_bucket[i] + 0.5);
        if (x < 0 || x > plot.width) continue;
        dots.push({ x, y: yOf(plot, columns.trade_price[i]), size: columns.trade_qty[i], side: columns.trade_side[i] });
      }
    }
    if (!dots.length) return;
    dots.sort((a, b) => b.size - a.size);
    // The largest dots keep their size however many there are; where there are many, small ones make room.
    const whole = dots[Math.floor(dots.length / 200)].size;
    const crowd = Math.min(1, Math.sqrt((plot.width / 6) / dots.length));
    ink.lineWidth = 1;
    ink.strokeStyle = back;
    for (const { x, y, size, side } of dots) {
      const part = Math.min(Math.sqrt(size / whole), 1);
      const radius = Math.max(DOT * part * (crowd + (1 - crowd) * part ** 3), 0.9);
      ink.globalAlpha = Math.min(0.35 + 0.65 * crowd + part * part, 1);
      ink.fillStyle = side > 0 ? up : side < 0 ? down : flat;
      if (radius <= SPECK) {
        ink.fillRect(x - 0.9 * radius, y - 0.9 * radius, 1.8 * radius, 1.8 * radius);
        continue;
      }
      ink.beginPath();
      ink.arc(x, y, radius, 0, 7);
      ink.fill();
      if (radius > 2.5) ink.stroke();
    }
    ink.globalAlpha = 1;
  }

  function paintAxes(plot: Plot): void {
    const { origin, bucket, decimals, zone } = base!.header;
    ink.font = `11px ${page.font}`;
    ink.textBaseline = "middle";
    ink.textAlign = "left";
    ink.lineWidth = 1;
    ink.fillStyle = page.colours.faint;
    ink.strokeStyle = page.colours.line;
    ink.strokeRect(0.5, -0.5, plot.width, plot.height);
    const last = newest!.header.ltp as number | null;
    const lastY = last == null ? NaN : yOf(plot, last);
    for (const value of ticksOfPrice(plot.low, plot.low + plot.rows * plot.step, tick(), plot.height / 28)) {
      const y = yOf(plot, value);
      if (y < 8 || y > plot.height - 6 || Math.abs(y - lastY) < 13) continue;
      ink.fillText(price(value, decimals), plot.width + 8, y);
      ink.fillRect(plot.width + 1, Math.round(y), 4, 1);
    }
    if (lastY >= 0 && lastY <= plot.height) {
      ink.fillStyle = page.colours.text;
      ink.fillRect(plot.width + 1, lastY - 9, axis - 1, 18);
      ink.fillStyle = page.colours.back;
      ink.fillText(price(last, decimals), plot.width + 8, lastY + 0.5);
    }
    ink.textAlign = "center";
    ink.fillStyle = page.colours.faint;
    for (const at of ticksOfTime(origin + plot.from * bucket, origin + plot.to * bucket, zone, plot.width / 88)) {
      const x = xOf(plot, (at - origin) / bucket);
      if (x < 24 || x > plot.width - 20) continue;
      ink.fillRect(Math.round(x), plot.height, 1, 4);
      ink.fillText(timeText(at, zone, (plot.to - plot.from) * bucket > 7_200_000 ? "minute" : "second"), x, plot.height + 13);
    }
  }

  function paintCursor(plot: Plot, columns: number): void {
    tip.classList.toggle("shown", cursor !== null);
    if (!cursor || cursor.x > plot.width || cursor.y > plot.height) {
      tip.classList.remove("shown");
      return;
    }
    const { origin, bucket, decimals, zone } = base!.header;
    const pointed = Math.floor(plot.from + (cursor.x / plot.width) * (plot.to - plot.from));
    // The newest column may be a small part of a pixel wide yet; the last pixel is where it is.
    const x = cursor.x < plot.width - 1 ? pointed : Math.max(pointed, picture.bucket.at(-1) ?? pointed);
    const row = Math.min(Math.floor((1 - cursor.y / plot.height) * plot.rows), plot.rows - 1);
    const value = plot.low + row * plot.step;
    const y = yOf(plot, value);
    ink.strokeStyle = page.colours.text;
    ink.globalAlpha = 0.55;
    ink.setLineDash([3, 3]);
    ink.beginPath();
    ink.moveTo(Math.round(cursor.x) + 0.5, 0);
    ink.lineTo(Math.round(cursor.x) + 0.5, plot.height);
    ink.moveTo(0, Math.round(y) + 0.5);
    ink.lineTo(plot.width, Math.round(y) + 0.5);
    ink.stroke();
    ink.setLineDash([]);
    ink.globalAlpha = 1;
    ink.textAlign = "left";
    ink.fillStyle = page.colours.accent;
    ink.fillRect(plot.width + 1, y - 9, axis - 1, 18);
    ink.fillStyle = page.colours.back;
    ink.fillText(price(value, decimals), plot.width + 8, y + 0.5);

    const column = columnAt(x);
    const lines = [`${timeText(origin + (x + 0.5) * bucket, zone, bucket < 1000 ? "tenth" : "second")}  ${price(value, decimals)}`];
    if (column >= 0) {
      const { message, at } = picture.parts[column];
      const bid = message.columns.bid_price[at];
      const ask = message.columns.ask_price[at];
      const size = grid[(plot.rows - 1 - row) * columns + x - Math.floor(plot.from)];
      if (size > 0) lines.push(`${qty(size)} ${value <= bid ? "bid" : "ask"}`);
      lines.push(`best ${price(bid, decimals)} / ${price(ask, decimals)}`);
    }
    const traded = { bought: 0, sold: 0, traded: 0 };
    const near = Math.max((5 / plot.width) * (plot.to - plot.from), 0.6);
    for (const { columns: of } of [base!, newest!]) {
      for (let i = 0; i < of.trade_bucket.length; i++) {
        if (Math.abs(of.trade_bucket[i] - x) > near || Math.abs(yOf(plot, of.trade_price[i]) - cursor.y) > 8) continue;
        traded[of.trade_side[i] > 0 ? "bought" : of.trade_side[i] < 0 ? "sold" : "traded"] += of.trade_qty[i];
      }
    }
    for (const [what, size] of Object.entries(traded)) if (size > 0) lines.push(`${qty(size)} ${what}`);
    say(tip, lines.join("\n"));
    const { offsetWidth, offsetHeight } = tip;
    const side = cursor.x + 14 + offsetWidth > plot.width ? cursor.x - 14 - offsetWidth : cursor.x + 14;
    const top = Math.min(Math.max(cursor.y - offsetHeight - 10, 4), plot.height - offsetHeight - 4);
    tip.style.transform = `translate(${Math.max(side, 2)}px, ${top}px)`;
  }

  function paint(): void {
    if (!room.width) room = { width: canvas.clientWidth, height: canvas.clientHeight };
    const { width, height } = room;
    if (!width || !height || !base || !newest) return;
    const ratio = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    ink.setTransform(ratio, 0, 0, ratio, 0, 0);
    ink.clearRect(0, 0, width, height);
    const { header } = base;
    const to = (newest.header.end - header.origin) / header.bucket;
    const from = to - header.buckets;
    const first = columnAt(Math.floor(from));
    ink.font = `11px ${page.font}`;
    axis = Math.ceil(ink.measureText(price(newest.header.ltp ?? 0, header.decimals)).width) + 18;
    const plot = range(first, width - axis, height - FOOT, from, to);
    if (!plot) {
      ink.textAlign = "center";
      ink.fillStyle = page.colours.faint;
      ink.fillText("No book yet.", width / 2, height / 2);
      return;
    }
    shown = plot;
    const fresh = fill(plot);
    ink.save();
    ink.beginPath();
    ink.rect(0, 0, plot.width, plot.height);
    ink.clip();
    paintHeat(plot, fresh);
    paintGaps(plot);
    paintQuotes(plot, first);
    paintTrades(plot);
    ink.restore();
    paintAxes(plot);
    paintCursor(plot, filled!.columns);
    say(most, qty(Number(large.toPrecision(2))));
  }

  return {
    base(message) {
      const before = base?.header.options;
      const { header } = message;
      if (before && base!.header.bucket === header.bucket) {
        // Buckets are counted from another one now.
        const by = Math.round((base!.header.origin - header.origin) / header.bucket);
        if (filled) filled = { ...filled, begin: filled.begin + by, last: filled.last + by };
        if (coloured) coloured.begin += by;
      } else filled = null;
      base = message;
      newest = null; // the frame that comes with it
      if (before?.symbol !== header.options.symbol || before?.seconds !== header.options.seconds || before?.levels !== header.options.levels) {
        shown = filled = null;
        large = 0;
      }
      options(symbols, header.symbols.map((name: string) => [name, name]), header.options.symbol);
      const times = [...new Set([...SECONDS, header.options.seconds as number])].sort((a, b) => a - b);
      options(seconds, times.map((n) => [String(n), n < 120 ? `${n} s` : n < 7200 ? `${+(n / 60).toFixed(1)} min` : `${+(n / 3600).toFixed(1)} h`]), String(header.options.seconds));
      const depths = [...new Set([...LEVELS, header.options.levels as number])].sort((a, b) => a - b);
      options(levels, depths.map((n) => [String(n), `${n} levels`]), String(header.options.levels));
    },
    frame(message) {
      newest = message;
      scales.value = page.chosen("scale");
      symbols.value = page.chosen("symbol");
      const paused = !!page.chosen("paused");
      pause.setAttribute("aria-pressed", String(paused));
      say(pause, paused ? "Paused" : "Pause");
      gather();
      const part = picture.parts.at(-1);
      const { decimals } = base!.header;
      let words = "";
      if (part) {
        const bid = part.message.columns.bid_price[part.at];
        const ask = part.message.columns.ask_price[part.at];
        words = `bid ${price(bid, decimals)}   ask ${price(ask, decimals)}   spread ${price(ask - bid, decimals)}`;
      }
      say(quote, words);
      canvas.setAttribute("aria-label", `Depth of ${message.header.options.symbol} over time. ${words}. Arrow keys move the cross-hair.`);
      paint();
    },
    restyle() {
      room = { width: canvas.clientWidth, height: canvas.clientHeight };
      scale = scaleOf(page.root.dataset.theme === "dark" ? "dark" : "light", getComputedStyle(page.root).backgroundColor);
      ramp.style.background = `linear-gradient(90deg, ${[14, 60, 110, 160, 210, 255].map((step) => scale.css(step)).join(", ")})`;
      paint();
    },
  };
}

function options(select: HTMLSelectElement, wanted: [string, string][], chosen: string): void {
  const key = wanted.map(([value]) => value).join();
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren(...wanted.map(([value, label]) => new Option(label, value)));
  }
  select.value = chosen;
}

export default mount("depth_history", style, draw);
