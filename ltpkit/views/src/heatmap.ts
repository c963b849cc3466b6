// The heatmap: a tile for each symbol within its sector, on a canvas. Where tiles lie changes seldom; their
// colours change with each frame.

import { find, say } from "./lib/dom";
import { change, direction, price, qty } from "./lib/format";
import { mount, type Drawing, type Page } from "./lib/mount";
import { treemap, type Box } from "./lib/treemap";
import type { Column, Message } from "./lib/wire";
import style from "./heatmap.css";

const BASES: [value: string, label: string][] = [
  ["close", "since previous close"],
  ["tick", "since previous tick"],
  ["open", "since the opening"],
];
const SIZES: [value: string, label: string][] = [
  ["turnover", "size: turnover"],
  ["equal", "size: equal"],
];

/** What full colour may stand for, in percent. */
const SCALES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50];
const REVIEW_MS = 5_000; // between two looks at whether areas and scale still fit
const OFF = 0.2; // by how much a tile's area may be wrong
const HEADER = 17;
const SMALLEST = 8; // letters, in pixels
const LEAST = 0.05; // of the average: the least a tile is taken for, so that it can be seen and hit

interface Tile extends Box {
  symbol: number;
  label: string;
  font: number; // 0 where no letters fit
  figure: boolean; // there is room for the change
  look?: string; // what is drawn
}

interface Group extends Box {
  title: string;
  tiles: Tile[];
  header: boolean;
  moved?: string; // the change that is drawn
}

type Colour = [number, number, number];

function draw(page: Page): Drawing {
  page.head.innerHTML =
    '<select class="basis" aria-label="What changes are counted from"></select>' +
    '<select class="size" aria-label="What areas stand for"></select><span class="grow"></span>' +
    '<span class="legend"><span></span><i></i><span></span></span>' +
    '<button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>';
  page.body.innerHTML =
    '<div class="stage"><canvas tabindex="0" role="application"></canvas>' +
    '<div class="tip" hidden><b></b><span class="sector faint"></span><dl></dl></div>' +
    '<div class="empty" hidden>There is nothing to show.</div><div class="spoken" aria-live="polite"></div></div>';
  const basis = find<HTMLSelectElement>(page.head, ".basis");
  const size = find<HTMLSelectElement>(page.head, ".size");
  const pause = find<HTMLButtonElement>(page.head, ".pause");
  const [lowest, bar, highest] = [...find(page.head, ".legend").children] as HTMLElement[];
  const stage = find(page.body, ".stage");
  const canvas = find<HTMLCanvasElement>(page.body, "canvas");
  const tip = find(page.body, ".tip");
  const empty = find(page.body, ".empty");
  const spoken = find(page.body, ".spoken");
  const pen = canvas.getContext("2d")!;
  for (const [select, options] of [[basis, BASES], [size, SIZES]] as const) {
    select.append(...options.map(([value, label]) => new Option(label, value)));
    select.addEventListener("change", () => page.choose(select.className, select.value));
  }

  let names: string[] = [];
  let sectors: string[] = [];
  let decimals: number[] = [];
  let newest: Message | null = null;
  let groups: Group[] = [];
  let tiles: Tile[] = [];
  let shares: number[] = []; // of the whole area, by symbol, as laid out
  let scale = 1;
  let laidFor = "";
  let reviewedAt = 0;
  let drawnScale = 0;
  let room = { w: 0, h: 0 }; // of the stage; asked for when it changes, as that lays the page out
  let [rise, fall] = [rgb(page.colours.up), rgb(page.colours.down)];
  let active: number | null = null; // the symbol under the pointer or the keyboard

  pause.addEventListener("click", () => page.choose("paused", !page.chosen("paused")));
  canvas.addEventListener("pointermove", (event) => point(hit(event)));
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("blur", () => point(null));
  canvas.addEventListener("focus", () => {
    if (active === null && canvas.matches(":focus-visible")) point(start(), true);
  });
  canvas.addEventListener("click", (event) => {
    const symbol = hit(event);
    if (symbol !== null) select(symbol);
  });
  canvas.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) point(active === null ? start() : beside(active, way[0], way[1]), true);
    else if ((event.key === "Enter" || event.key === " ") && active !== null) select(active);
    else if (event.key === "Escape") point(null);
    else return;
    event.preventDefault();
  });

  /** The selected tile, else the largest. */
  function start(): number | null {
    const chosen = tiles.find((tile) => names[tile.symbol] === page.chosen("symbol"));
    const largest = tiles.reduce<Tile | null>((best, tile) => (best && best.w * best.h >= tile.w * tile.h ? best : tile), null);
    return (chosen ?? largest)?.symbol ?? null;
  }

  function hit(event: PointerEvent | MouseEvent): number | null {
    const box = canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    return tiles.find((one) => x >= one.x && x < one.x + one.w && y >= one.y && y < one.y + one.h)?.symbol ?? null;
  }

  /** The nearest tile in a direction, or the same one at the edge. */
  function beside(symbol: number, dx: number, dy: number): number {
    const from = tiles.find((one) => one.symbol === symbol);
    if (!from) return tiles[0].symbol;
    const [x, y] = middle(from);
    let best = symbol;
    let least = Infinity;
    for (const one of tiles) {
      const [ox, oy] = middle(one);
      const along = (ox - x) * dx + (oy - y) * dy;
      if (one === from || along <= 1) continue;
      const across = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      const far = along + 2.5 * across;
      if (far < least) [least, best] = [far, one.symbol];
    }
    return best;
  }

  function select(symbol: number): void {
    page.choose("symbol", names[symbol]);
    paint();
  }

  function point(symbol: number | null, aloud = false): void {
    if (symbol === active) return;
    active = symbol;
    canvas.style.cursor = symbol === null ? "" : "pointer";
    paint();
    if (aloud && symbol !== null && newest) {
      const moved = newest.columns.percent[symbol];
      say(spoken, `${names[symbol]}, ${sectors[symbol]}, ${change(moved, 2, " percent")}`);
    }
  }

  /** Say everything about the tile that is pointed at. */
  function tell(): void {
    const tile = tiles.find((one) => one.symbol === active);
    tip.hidden = !tile || !newest;
    if (!tile || !newest) return;
    const i = tile.symbol;
    const { ltp, percent, volume, turnover } = newest.columns;
    say(find(tip, "b"), names[i]);
    say(find(tip, ".sector"), titled(sectors[i]));
    const since = BASES.find(([value]) => value === newest!.header.options.basis)![1];
    const told: [string, string, string][] = [
      ["last price", price(ltp[i], decimals[i]), ""],
      [since, change(percent[i], digits(), "%"), direction(percent[i])],
      ["volume", qty(volume[i]) || "–", ""],
      ["turnover", qty(turnover[i]) || "–", ""],
    ];
    const list = find(tip, "dl");
    while (list.children.length < 2 * told.length) list.append(document.createElement("dt"), document.createElement("dd"));
    told.forEach(([name, value, way], at) => {
      say(list.children[2 * at], name);
      say(list.children[2 * at + 1], value);
      list.children[2 * at + 1].className = way;
    });
    // Beside its tile, which stays to be seen.
    const left = Math.min(Math.max(middle(tile)[0] - tip.offsetWidth / 2, 4), room.w - tip.offsetWidth - 4);
    const [above, below] = [tile.y - tip.offsetHeight - 4, tile.y + tile.h + 4];
    const top = below + tip.offsetHeight < room.h ? below : Math.max(above, 4);
    tip.style.transform = `translate(${Math.max(left, 4)}px, ${top}px)`;
  }

  const digits = () => (scale < 0.5 ? 3 : 2);

  /** Sizes of the tiles, above zero. */
  function weights(): number[] {
    const found = names.map((_, i) => newest!.columns.turnover[i]);
    const known = found.filter((one) => one > 0);
    if (newest!.header.options.size === "equal" || !known.length) return names.map(() => 1);
    const least = (LEAST * known.reduce((sum, one) => sum + one, 0)) / known.length;
    return found.map((one) => (one > least ? one : least));
  }

  /** Lay the tiles out anew where they no longer fit what they stand for; return whether they were. */
  function review(): boolean {
    const { w, h } = room;
    const { size: by, basis: from } = newest!.header.options;
    const key = [w, h, by, from, devicePixelRatio].join();
    if (key === laidFor && Date.now() - reviewedAt < REVIEW_MS) return false;
    reviewedAt = Date.now();
    const moves = Array.from(newest!.columns.percent, Math.abs).filter((one) => !Number.isNaN(one)).sort((a, b) => a - b);
    const usual = moves[Math.floor(0.9 * (moves.length - 1))] ?? 1;
    scale = SCALES.find((one) => one >= usual) ?? SCALES[SCALES.length - 1];
    const sizes = weights();
    const all = sizes.reduce((sum, one) => sum + one, 0);
    const now = sizes.map((one) => one / all);
    const fits = key === laidFor && now.every((one, i) => Math.abs(one - shares[i]) < OFF * shares[i]);
    if (fits || w === 0) return false;
    [laidFor, shares] = [key, now];
    lay(sizes, w, h);
    return true;
  }

  function lay(sizes: number[], w: number, h: number): void {
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(w * ratio);
    canvas.height = Math.round(h * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const members = new Map<string, number[]>();
    sectors.forEach((sector, i) => members.set(sector, [...(members.get(sector) ?? []), i]));
    const titles = [...members.keys()];
    const totals = titles.map((title) => members.get(title)!.reduce((sum, i) => sum + sizes[i], 0));
    const boxes = treemap(totals, { x: 0, y: 0, w, h });
    groups = titles.map((title, at) => {
      const box = boxes[at];
      // A lone sector needs no title: it says nothing that is not known.
      const header = titles.length > 1 && box.w > 46 && box.h > 2.2 * HEADER;
      const top = header ? HEADER : 0;
      const room = { x: box.x + 1, y: box.y + top + 1, w: Math.max(box.w - 2, 1), h: Math.max(box.h - top - 2, 1) };
      const mine = members.get(title)!;
      const places = treemap(mine.map((i) => sizes[i]), room);
      return { ...box, title: titled(title), header, tiles: mine.map((i, one) => labelled(i, snapped(places[one], ratio))) };
    });
    tiles = groups.flatMap((group) => group.tiles);
  }

  /** A tile with the largest letters that fit. */
  function labelled(symbol: number, box: Box): Tile {
    const name = names[symbol].slice(names[symbol].indexOf(":") + 1);
    const room = box.w - Math.min(Math.max(box.w * 0.12, 4), 20);
    let font = Math.min(Math.sqrt(box.w * box.h) / 6.5, 22, box.h * 0.5);
    pen.font = `600 100px ${page.font}`;
    font = Math.min(font, (100 * room) / pen.measureText(name).width);
    let label = name;
    if (font < SMALLEST && box.h > SMALLEST + 4) {
      pen.font = `600 ${SMALLEST}px ${page.font}`;
      while (label.length > 3 && pen.measureText(`${label}…`).width > room) label = label.slice(0, -1);
      label = label === name ? name : `${label}…`;
      font = pen.measureText(label).width <= room ? SMALLEST : 0;
    }
    font = font < SMALLEST ? 0 : font;
    const second = Math.max(font * 0.72, SMALLEST);
    pen.font = `500 ${second}px ${page.font}`;
    const figure = font > 0 && box.h > font + second + 8 && pen.measureText("+00.00%").width <= room;
    return { ...box, symbol, label, font, figure };
  }

  /** Draw the tiles that look another way than before, of all where `anew`. */
  function paint(anew = false): void {
    if (!newest) return;
    empty.hidden = names.length > 0;
    const { percent } = newest.columns;
    const chosen = page.chosen("symbol");
    const whole = review() || anew || scale !== drawnScale;
    drawnScale = scale;
    if (whole) {
      pen.clearRect(0, 0, room.w, room.h);
      for (const group of groups) delete group.moved;
    }
    pen.textBaseline = "middle";
    for (const group of groups) {
      if (group.header) paintHeader(group, percent);
      for (const tile of group.tiles) {
        const mark = names[tile.symbol] === chosen ? "selected" : tile.symbol === active ? "active" : "";
        const colour = shade(percent[tile.symbol]);
        const words = tile.figure ? change(percent[tile.symbol], digits(), "%") : "";
        const look = `${colour} ${words} ${mark}`;
        if (!whole && look === tile.look) continue;
        tile.look = look;
        paintTile(tile, colour, words, mark);
      }
    }
    if (whole) paintLegend();
    tell();
  }

  function shade(value: number): Colour {
    const grey: Colour = page.root.dataset.theme === "dark" ? [62, 68, 77] : [222, 226, 231];
    if (Number.isNaN(value)) return grey;
    const much = Math.min(Math.abs(value) / scale, 1);
    return mix(grey, value > 0 ? rise : fall, much);
  }

  function paintHeader(group: Group, percent: Column): void {
    let [sum, weight] = [0, 0];
    for (const tile of group.tiles) {
      if (Number.isNaN(percent[tile.symbol])) continue;
      sum += percent[tile.symbol] * shares[tile.symbol];
      weight += shares[tile.symbol];
    }
    const moved = weight ? change(sum / weight, digits(), "%") : "";
    if (moved === group.moved) return;
    group.moved = moved;
    pen.clearRect(group.x, group.y, group.w, HEADER);
    pen.textAlign = "left";
    pen.fillStyle = page.colours.text;
    pen.font = `600 11px ${page.font}`;
    const left = group.w - 8;
    const width = pen.measureText(group.title).width;
    const y = group.y + HEADER / 2 + 1;
    pen.fillText(width <= left ? group.title : cut(group.title, left), group.x + 4, y);
    pen.font = `500 11px ${page.font}`;
    if (moved && width + 8 + pen.measureText(moved).width <= left) {
      pen.fillStyle = page.colours.faint;
      pen.fillText(moved, group.x + 4 + width + 7, y);
    }
  }

  function paintTile(tile: Tile, colour: Colour, words: string, mark: string): void {
    const { text, accent, back } = page.colours;
    pen.textAlign = "center";
    pen.fillStyle = `rgb(${colour.join()})`;
    pen.fillRect(tile.x, tile.y, Math.max(tile.w - 1, 1), Math.max(tile.h - 1, 1));
    if (tile.font) {
      const [x, y] = middle(tile);
      pen.fillStyle = bright(colour) > 0.25 ? "#0d1117" : "#ffffff";
      pen.font = `600 ${tile.font}px ${page.font}`;
      const second = Math.max(tile.font * 0.72, SMALLEST);
      pen.fillText(tile.label, x, tile.figure ? y - second * 0.62 : y);
      pen.font = `500 ${second}px ${page.font}`;
      if (words && pen.measureText(words).width <= tile.w - 4) pen.fillText(words, x, y + tile.font * 0.66);
    }
    if (!mark) return;
    for (const [line, inset, width] of [[back, 3, 2], [mark === "selected" ? accent : text, 1, 2.5]] as const) {
      pen.strokeStyle = line;
      pen.lineWidth = width;
      // The line stays within the tile, so that drawing the tile anew takes it away.
      const edge = inset + width / 2 - 1;
      pen.strokeRect(tile.x + edge, tile.y + edge, Math.max(tile.w - 2 * edge, 1), Math.max(tile.h - 2 * edge, 1));
    }
  }

  function paintLegend(): void {
    say(lowest, change(-scale, places(scale), "%"));
    say(highest, change(scale, places(scale), "%"));
    const ramp = [-1, -0.5, 0, 0.5, 1].map((one) => `rgb(${shade(one * scale).join()})`);
    bar.style.background = `linear-gradient(90deg, ${ramp.join()})`;
  }

  function cut(words: string, room: number): string {
    let some = words;
    while (some.length > 1 && pen.measureText(`${some}…`).width > room) some = some.slice(0, -1);
    return some.length > 1 ? `${some}…` : "";
  }

  return {
    base({ header }) {
      ({ names, sectors, decimals } = header as any);
      laidFor = "";
      active = null;
      canvas.setAttribute("aria-label", `Heatmap of ${names.length} symbols. Arrow keys move, Enter selects.`);
    },
    frame(message) {
      newest = message;
      const { basis: from, size: by } = message.header.options;
      // A choice that the kernel has not yet answered is not drawn, but stands where it was made.
      basis.value = page.chosen("basis") ?? from;
      size.value = page.chosen("size") ?? by;
      const paused = !!page.chosen("paused");
      pause.setAttribute("aria-pressed", String(paused));
      say(pause, paused ? "Paused" : "Pause");
      if (room.w === 0) room = { w: stage.clientWidth, h: stage.clientHeight };
      paint();
    },
    restyle() {
      room = { w: stage.clientWidth, h: stage.clientHeight };
      [rise, fall] = [rgb(page.colours.up), rgb(page.colours.down)];
      paint(true);
    },
  };
}

const middle = (box: Box): [number, number] => [box.x + box.w / 2, box.y + box.h / 2];

/** On whole pixels, so that a tile can be drawn anew without its neighbours. */
function snapped({ x, y, w, h }: Box, ratio: number): Box {
  const at = (value: number) => Math.round(value * ratio) / ratio;
  return { x: at(x), y: at(y), w: at(x + w) - at(x), h: at(y + h) - at(y) };
}

const places = (value: number) => (value < 0.1 ? 2 : value < 1 ? 1 : 0);

/** A sector as a title: the simulated market writes its own in small letters. */
const titled = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function rgb(colour: string): Colour {
  const hex = colour.match(/^#(..)(..)(..)$/);
  if (hex) return hex.slice(1).map((one) => parseInt(one, 16)) as Colour;
  return (colour.match(/[\d.]+/g) ?? ["128", "128", "128"]).slice(0, 3).map(Number) as Colour;
}

const mix = (from: Colour, to: Colour, much: number) => from.map((one, i) => Math.round(one + (to[i] - one) * much)) as Colour;

/** How light a colour looks, from 0 to 1, so that letters on it can be told from it. */
function bright(colour: Colour): number {
  const [r, g, b] = colour.map((one) => (one / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

export default mount("heatmap", style, draw);
