// The board: a watchlist. Only the rows on screen exist, each stays with its symbol while it is there, and only
// cells that say something new are touched.

import { CURVE, trace } from "./lib/curve";
import { find, say } from "./lib/dom";
import { Flashes } from "./lib/flash";
import { age, change, clock, direction, price, qty } from "./lib/format";
import { mount, type Drawing, type Page } from "./lib/mount";
import type { Column, Message } from "./lib/wire";
import style from "./board.css";

const MOST_SHOWN = 18; // rows that fit without scrolling
const POINTS = 60; // of a curve
const RETRACE_MS = 500; // a curve a few letters wide says nothing more when it is drawn more often
const REVIEW_MS = 1_000; // rows that change places more often cannot be read

/** Key, title, and what the title belongs to. */
const COLUMNS: [key: string, title: string, hint: string][] = [
  ["symbol", "Symbol", "Symbol and exchange"],
  ["ltp", "LTP", "Last traded price"],
  ["change", "chg", "Change since the previous tick"],
  ["change_percent", "%", "Change since the previous tick, in percent"],
  ["day_change", "chg", "Change since the previous close"],
  ["day_change_percent", "%", "Change since the previous close, in percent"],
  ["range", "Day range", "Low, last and high of the day; the notch is the opening price"],
  ["recent", "Recent", "Prices of the last minutes, at most fifteen"],
  ["volume", "Volume", "Traded today"],
  ["age", "Age", "Since the last tick"],
];

/** Sorted from the largest first, when a title is first clicked. */
const FALLING = new Set(COLUMNS.map(([key]) => key).filter((key) => key !== "symbol" && key !== "age"));

interface Row {
  el: HTMLElement;
  cells: Record<string, HTMLElement>;
  name: HTMLElement;
  price: HTMLElement;
  exchange: HTMLElement;
  range: { low: HTMLElement; high: HTMLElement; track: HTMLElement; mark: HTMLElement; open: HTMLElement };
  curve: SVGSVGElement;
  drop: HTMLButtonElement;
  /** Which symbol it shows; -1 for none. */
  shows: number;
  drawn: string; // the curve that is drawn
  drawnAt: number;
  at: number; // the time that is told
  top: number;
  said: Record<string, number>; // numbers that its cells show
}

function draw(page: Page): Drawing {
  page.head.innerHTML =
    '<input class="filter" type="search" placeholder="Filter" aria-label="Filter symbols" spellcheck="false" autocomplete="off">' +
    '<span class="count faint" role="status"></span><span class="grow"></span>' +
    '<form class="add" hidden><input placeholder="Add symbol" aria-label="Symbol to subscribe" spellcheck="false" autocomplete="off">' +
    '<button type="submit" title="Subscribe">Add</button></form>' +
    '<button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>';
  page.body.innerHTML =
    '<div class="frame"><div class="pane" role="grid" tabindex="0" aria-label="Watchlist">' +
    '<div class="titles" role="row"><span class="group tick"><span>since </span>previous tick</span>' +
    '<span class="group day"><span>since </span>previous close</span></div><div class="sheet"></div></div>' +
    '<div class="empty" hidden></div></div>';
  const filter = find<HTMLInputElement>(page.head, ".filter");
  const count = find(page.head, ".count");
  const add = find<HTMLFormElement>(page.head, ".add");
  const wanted = find<HTMLInputElement>(add, "input");
  const pause = find<HTMLButtonElement>(page.head, ".pause");
  const pane = find(page.body, ".pane");
  const titles = find(page.body, ".titles");
  const sheet = find(page.body, ".sheet");
  const empty = find(page.body, ".empty");

  const heads = COLUMNS.map(([key, title, hint]) => {
    const el = document.createElement("div");
    el.className = `c-${key}`;
    el.setAttribute("role", "columnheader");
    const button = document.createElement("button");
    button.title = `${hint}. Click to sort.`;
    button.setAttribute("aria-label", `Sort by: ${hint}`);
    button.innerHTML = "<span></span><i></i>";
    button.firstElementChild!.textContent = title;
    button.addEventListener("click", () => sortBy(key));
    el.append(button);
    titles.append(el);
    return { key, el, button };
  });
  titles.append(document.createElement("div"));
  titles.lastElementChild!.className = "c-drop";

  let names: string[] = [];
  let decimals: number[] = [];
  let zones: string[] = [];
  let subscribing = false;
  let newest: Message | null = null;
  let before: Record<string, Column> | null = null; // of the frame before, for what flashes
  let order: number[] = []; // places of rows to symbols
  let orderedBy = "";
  let orderedAt = 0;
  let seen = { top: 0, height: 0 };
  const flashes = new Flashes();
  const rows = new Map<number, Row>();
  const spare: Row[] = [];

  filter.addEventListener("input", () => {
    page.choose("find", filter.value);
    arrange(true);
  });
  filter.addEventListener("keydown", (event) => event.key === "ArrowDown" && pane.focus());
  add.addEventListener("submit", (event) => {
    event.preventDefault();
    const symbol = wanted.value.trim();
    if (symbol) page.choose("subscribe", symbol);
  });
  pause.addEventListener("click", () => page.choose("paused", !page.chosen("paused")));
  pane.addEventListener("scroll", () => {
    look();
    place();
  });
  pane.addEventListener("click", (event) => {
    const row = rowOf(event.target);
    if (!row) return;
    if ((event.target as Element).closest(".drop")) page.choose("unsubscribe", names[row.shows]);
    else select(row.shows);
  });
  pane.addEventListener("keydown", (event) => {
    if (event.target !== pane && event.key !== "Escape") return;
    const at = order.indexOf(names.indexOf(page.chosen("symbol")));
    const shown = Math.max(1, Math.floor(pane.clientHeight / rowHeight()) - 2);
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: shown, PageUp: -shown, Home: -order.length, End: order.length }[event.key];
    if (step !== undefined && order.length) {
      event.preventDefault();
      const to = at < 0 ? (step > 0 ? 0 : order.length - 1) : Math.min(Math.max(at + step, 0), order.length - 1);
      select(order[to]);
      const top = to * rowHeight();
      const room = pane.clientHeight - titles.offsetHeight;
      if (top < pane.scrollTop) pane.scrollTop = top;
      else if (top + rowHeight() > pane.scrollTop + room) pane.scrollTop = top + rowHeight() - room;
    } else if ((event.key === "Delete" || event.key === "Backspace") && subscribing && at >= 0) {
      event.preventDefault();
      page.choose("unsubscribe", names[order[at]]);
    }
  });
  const clockwork = setInterval(() => {
    for (const row of rows.values()) tellAge(row);
  }, 1_000);

  const coarse = matchMedia("(pointer: coarse)");
  const rowHeight = () => (coarse.matches ? 38 : 30);

  function rowOf(target: EventTarget | null): Row | undefined {
    const el = (target as Element | null)?.closest(".row");
    return [...rows.values()].find((row) => row.el === el);
  }

  function select(symbol: number): void {
    page.choose("symbol", names[symbol]);
    place();
  }

  function sortBy(key: string): void {
    const now: string = page.chosen("sort") ?? "";
    const first = FALLING.has(key) ? `-${key}` : key;
    const second = FALLING.has(key) ? key : `-${key}`;
    page.choose("sort", now === first ? second : now === second ? "" : first);
    arrange(true);
  }

  /** What a row is sorted by. */
  function measure(key: string, i: number): number {
    const columns = newest!.columns;
    if (key === "range") return (columns.ltp[i] - columns.low[i]) / (columns.high[i] - columns.low[i]);
    if (key === "age") return -columns.at[i];
    if (key === "recent") return columns.curves[(i + 1) * POINTS - 1] - firstHeight(i);
    return columns[key][i];
  }

  function firstHeight(i: number): number {
    const curves = newest!.columns.curves;
    for (let j = i * POINTS; j < (i + 1) * POINTS; j++) if (curves[j]) return curves[j];
    return NaN;
  }

  /** Put the rows in order: at once when asked for, else now and then, and never under the pointer. */
  function arrange(now = false): void {
    if (!newest) return;
    const sort: string = page.chosen("sort") ?? "";
    const sought = String(page.chosen("find") ?? "").trim().toLowerCase();
    const by = JSON.stringify([sort, sought]);
    const due = Date.now() - orderedAt > REVIEW_MS && sort !== "" && !sheet.matches(":hover");
    if (now || by !== orderedBy || due) {
      orderedBy = by;
      orderedAt = Date.now();
      order = names.map((_, i) => i).filter((i) => names[i].toLowerCase().includes(sought));
      const key = sort.replace("-", "");
      const sign = sort.startsWith("-") ? -1 : 1;
      if (key === "symbol") order.sort((a, b) => sign * bare(names[a]).localeCompare(bare(names[b])));
      else if (key) {
        const values = names.map((_, i) => measure(key, i));
        order.sort((a, b) => {
          const [x, y] = [values[a], values[b]];
          if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
          return sign * (x - y) || a - b;
        });
      }
      for (const { key: one, el, button } of heads) {
        const way = one !== key ? "none" : sign > 0 ? "ascending" : "descending";
        el.setAttribute("aria-sort", way);
        say(find(button, "i"), way === "none" ? "" : sign > 0 ? "▲" : "▼");
      }
      pane.setAttribute("aria-rowcount", String(order.length + 1));
      say(count, order.length === names.length ? plural(names.length) : `${order.length} of ${plural(names.length)}`);
      empty.hidden = order.length > 0;
      pane.hidden = names.length === 0;
      if (names.length) say(empty, `No symbol matches “${sought}”.`);
      else say(empty, subscribing ? "The board is empty. Add a symbol above." : "There is nothing to show.");
      const height = rowHeight();
      page.root.style.setProperty("--row", `${height}px`);
      sheet.style.height = `${order.length * height}px`;
      pane.style.maxHeight = `${titles.offsetHeight + MOST_SHOWN * height}px`;
      look();
    }
    place();
  }

  /** Look which part of the rows is on screen. Not with each picture: the page would be laid out for it. */
  function look(): void {
    seen = { top: pane.scrollTop, height: pane.clientHeight };
  }

  /** Show the rows that are on screen. */
  function place(): void {
    if (!newest) return;
    const height = rowHeight();
    const from = Math.max(0, Math.floor(seen.top / height) - 1);
    const to = Math.min(order.length, Math.ceil((seen.top + seen.height) / height) + 1);
    const here = new Set<number>();
    for (let at = from; at < to; at++) here.add(order[at]);
    for (const [symbol, row] of rows) {
      if (here.has(symbol)) continue;
      rows.delete(symbol);
      row.el.style.display = "none";
      flashes.drop(row.price);
      row.shows = -1;
      spare.push(row);
    }
    const chosen = page.chosen("symbol");
    for (let at = from; at < to; at++) {
      const symbol = order[at];
      let row = rows.get(symbol);
      if (!row) {
        row = spare.pop() ?? makeRow();
        rows.set(symbol, row);
        row.el.style.display = "";
        row.el.classList.add("moved"); // to its place at once, not across the board
        row.top = NaN;
        bind(row, symbol);
      } else if (row.drawn) row.el.classList.remove("moved");
      if (row.top !== at * height) {
        row.el.style.transform = `translateY(${(row.top = at * height)}px)`;
        row.el.setAttribute("aria-rowindex", String(at + 2));
      }
      const selected = names[symbol] === chosen;
      if (row.el.getAttribute("aria-selected") !== String(selected)) row.el.setAttribute("aria-selected", String(selected));
      if (selected) pane.setAttribute("aria-activedescendant", row.el.id);
      fill(row);
    }
  }

  function makeRow(): Row {
    const el = document.createElement("div");
    el.className = "row";
    el.setAttribute("role", "row");
    el.id = `ltp-row-${Math.random().toString(36).slice(2)}`;
    const cells: Record<string, HTMLElement> = {};
    for (const [key] of COLUMNS) {
      const cell = document.createElement("div");
      cell.className = `c-${key}`;
      cell.setAttribute("role", "gridcell");
      el.append((cells[key] = cell));
    }
    cells.symbol.innerHTML = "<b></b><i></i>";
    cells.ltp.innerHTML = "<b></b>";
    cells.range.innerHTML =
      '<span class="low"></span><span class="track"><i class="open"></i><i class="mark"></i></span><span class="high"></span>';
    cells.recent.innerHTML = CURVE;
    const drop = document.createElement("button");
    drop.className = "drop";
    drop.textContent = "×";
    drop.tabIndex = -1; // Delete does the same to the selected row
    const last = document.createElement("div");
    last.className = "c-drop";
    last.append(drop);
    el.append(last);
    sheet.append(el);
    const range = {
      low: find(el, ".low"), high: find(el, ".high"), track: find(el, ".track"), mark: find(el, ".mark"), open: find(el, ".open"),
    };
    return {
      el, cells, range, drop, name: find(el, ".c-symbol b"), exchange: find(el, ".c-symbol i"),
      curve: find<SVGSVGElement>(el, "svg"), price: find(el, ".c-ltp b"), shows: -1, drawn: "", drawnAt: 0, at: NaN, top: NaN, said: {},
    };
  }

  function bind(row: Row, symbol: number): void {
    row.shows = symbol;
    row.drawn = "";
    row.drawnAt = 0;
    row.at = NaN;
    row.said = {};
    const [exchange, ...rest] = names[symbol].split(":");
    say(row.name, rest.join(":"));
    say(row.exchange, exchange);
    row.cells.symbol.title = names[symbol];
    row.el.dataset.symbol = names[symbol];
    row.drop.hidden = !subscribing;
    row.drop.title = `Unsubscribe ${names[symbol]}`;
    row.drop.setAttribute("aria-label", `Unsubscribe ${names[symbol]}`);
  }

  function fill(row: Row): void {
    const { columns, header } = newest!;
    const i = row.shows;
    const places = decimals[i];
    const ltp = columns.ltp[i];
    // Words are made of numbers that are others than before, and of no more.
    const other = (key: string) => !Object.is(row.said[key], columns[key][i]) && ((row.said[key] = columns[key][i]), true);
    const repriced = other("ltp");
    if (repriced) say(row.price, price(ltp, places));
    for (const key of ["change", "day_change"]) {
      const way = direction(columns[key][i]);
      if (other(key)) tell(row.cells[key], change(columns[key][i], places), way);
      const digits = key === "change" ? 3 : 2;
      if (other(`${key}_percent`)) tell(row.cells[`${key}_percent`], change(columns[`${key}_percent`][i], digits, "%"), way);
    }
    const ranged = [other("low"), other("high"), other("open")].includes(true);
    if (repriced || ranged) fillRange(row, columns, places);
    if (other("volume")) say(row.cells.volume, qty(columns.volume[i]) || "–");
    traceRow(row, columns.curves.subarray(i * POINTS, (i + 1) * POINTS), header.points);
    tellAge(row);
  }

  function fillRange(row: Row, columns: Record<string, Column>, places: number): void {
    const i = row.shows;
    const ltp = columns.ltp[i];
    const [low, high] = [columns.low[i], columns.high[i]];
    const span = high - low;
    const at = (value: number) => `${Math.min(Math.max((100 * (value - low)) / span, 0), 100).toFixed(1)}%`;
    const ranged = span > 0 && !Number.isNaN(ltp);
    row.range.track.classList.toggle("none", !ranged);
    if (ranged) {
      if (row.range.mark.style.left !== at(ltp)) row.range.mark.style.left = at(ltp);
      const opened = columns.open[i];
      const shown = opened >= low && opened <= high;
      row.range.open.hidden = !shown;
      if (shown && row.range.open.style.left !== at(opened)) row.range.open.style.left = at(opened);
    }
    say(row.range.low, Number.isNaN(low) ? "" : price(low, places));
    say(row.range.high, Number.isNaN(high) ? "" : price(high, places));
  }

  function tell(cell: HTMLElement, words: string, way: string): void {
    say(cell, words);
    if (cell.dataset.way === way) return;
    cell.dataset.way = way;
    for (const one of ["up", "down"]) cell.classList.toggle(one, way === one);
  }

  function traceRow(row: Row, heights: Column, points: number): void {
    if (row.drawn && Date.now() - row.drawnAt < RETRACE_MS) return;
    const key = `${points} ${heights.join()}`;
    if (key === row.drawn) return;
    row.drawn = key;
    row.drawnAt = Date.now();
    const values = Array.from(heights.subarray(POINTS - points), (one) => (one ? (one - 1) / 254 : NaN));
    trace(row.curve, values);
    const first = values.find((one) => !Number.isNaN(one)) ?? NaN;
    row.curve.setAttribute("class", `curve ${direction(values[values.length - 1] - first)}`);
  }

  function tellAge(row: Row): void {
    if (!newest || row.shows < 0) return;
    const { columns, header } = newest;
    const at = columns.at[row.shows];
    if (Number.isNaN(at)) say(row.cells.age, "–");
    else if (!PAST.has(header.state)) {
      // How old it was in the kernel, and what the page's own clock has counted since.
      say(row.cells.age, age(header.sent - at + page.elapsed()));
    } else if (at !== row.at) say(row.cells.age, clock(at, zones[row.shows]));
    row.at = at;
  }

  /** Light up the prices that are others than in the frame before. */
  function flash(columns: Record<string, Column>): void {
    if (before && before.ltp.length === columns.ltp.length)
      for (const [i, row] of rows) flashes.light(row.price, direction(columns.ltp[i] - before.ltp[i]));
    flashes.fade();
  }

  return {
    base({ header }) {
      subscribing = header.subscribing;
      add.hidden = !subscribing;
      if (names.length && header.names.join() !== names.join() && wanted.value) {
        wanted.value = ""; // what was asked for is there
      }
      ({ names, decimals, zones } = header as any);
      orderedBy = "";
      for (const row of rows.values()) {
        row.el.style.display = "none";
        flashes.drop(row.price);
        row.shows = -1;
        spare.push(row);
      }
      rows.clear();
      before = null;
    },
    frame(message) {
      newest = message;
      if ((filter.getRootNode() as Document | ShadowRoot).activeElement !== filter) filter.value = page.chosen("find") ?? "";
      const paused = !!page.chosen("paused");
      pause.setAttribute("aria-pressed", String(paused));
      say(pause, paused ? "Paused" : "Pause");
      say(find(heads[heads.length - 1].button, "span"), PAST.has(message.header.state) ? "Last tick" : "Age");
      arrange();
      flash(message.columns);
      before = message.columns;
    },
    restyle: () => arrange(true),
    destroy() {
      clearInterval(clockwork);
      flashes.end();
    },
  };
}

/** States in which the time of a tick says more than its age. */
const PAST = new Set(["stored", "playing", "held", "finished"]);

const bare = (name: string) => name.slice(name.indexOf(":") + 1);
const plural = (n: number) => `${n} symbol${n === 1 ? "" : "s"}`;

export default mount("board", style, draw);
