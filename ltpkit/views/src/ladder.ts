// The depth ladder: asks above, bids below, the touch in the middle. Only the rows on screen exist, so two
// hundred levels scroll like five.

import { change, direction, price, qty } from "./lib/format";
import { say } from "./lib/dom";
import { Flashes } from "./lib/flash";
import { mount, type Drawing, type Page } from "./lib/mount";
import type { Message } from "./lib/wire";
import style from "./ladder.css";

const ROW = 22;
const TOUCH = 30;
const MOST_SHOWN = 21; // rows and touch that fit without scrolling
const LEVELS = [5, 10, 20, 50, 200];

interface Side {
  price: ArrayLike<number>;
  qty: ArrayLike<number>;
  orders: ArrayLike<number>;
  cum: Float64Array;
  total: number;
}

interface Row {
  el: HTMLElement;
  cells: HTMLElement[];
  bars: HTMLElement[];
  /** What it looks like now. */
  kind: string;
  top: number;
  parts: number[];
  shown: boolean;
}

function side(message: Message, name: "bid" | "ask"): Side {
  const prices = message.columns[`${name}_price`];
  let length = prices.length;
  while (length > 0 && Number.isNaN(prices[length - 1])) length--;
  const qtys = message.columns[`${name}_qty`];
  const cum = new Float64Array(length);
  let total = 0;
  for (let i = 0; i < length; i++) cum[i] = total += qtys[i] || 0;
  return { price: prices, qty: qtys, orders: message.columns[`${name}_orders`], cum, total };
}

function draw(page: Page): Drawing {
  page.head.innerHTML =
    '<select class="symbol" aria-label="Symbol"></select><span class="grow"></span>' +
    '<select class="levels" aria-label="Levels"></select>' +
    '<button class="pause" aria-pressed="false" title="Hold the picture">Pause</button>';
  page.body.innerHTML =
    '<div class="frame"><div class="titles"><span class="cum">total</span><span class="orders">orders</span>' +
    '<span>bid qty</span><span class="price">price</span><span class="ask">ask qty</span>' +
    '<span class="orders ask">orders</span><span class="cum ask">total</span></div>' +
    '<div class="pane" tabindex="0" aria-label="Price levels"><div class="sheet"></div></div>' +
    '<div class="totals"><span class="bid"></span><span class="ask"></span></div>' +
    '<div class="empty" hidden>No book yet.</div></div>';
  const find = <T extends HTMLElement>(what: string) => page.root.querySelector<T>(what)!;
  const symbols = find<HTMLSelectElement>(".symbol");
  const levels = find<HTMLSelectElement>(".levels");
  const pause = find<HTMLButtonElement>(".pause");
  const pane = find(".pane");
  const sheet = find(".sheet");
  const empty = find(".empty");
  const totals = [find(".totals .bid"), find(".totals .ask")];
  const touch = document.createElement("div");
  touch.className = "touch";
  touch.innerHTML = '<span class="spread"></span><b class="ltp-last"></b><span class="mid"></span>';
  sheet.append(touch);
  const last = touch.querySelector<HTMLElement>("b")!;
  const spread = touch.querySelector<HTMLElement>(".spread")!;
  const mid = touch.querySelector<HTMLElement>(".mid")!;

  let decimals = 2;
  let newest: Message | null = null;
  let sides: { bid: Side; ask: Side } | null = null;
  let shownLtp: number | null = null;
  let shownSeq: number | null = null;
  let centred = "";
  let sizedFor = "";
  let room = 0; // height of the pane
  let scrolled = 0;
  const flashes = new Flashes();
  const rows: Row[] = [];

  symbols.addEventListener("change", () => page.choose("symbol", symbols.value));
  levels.addEventListener("change", () => page.choose("levels", Number(levels.value)));
  pause.addEventListener("click", () => page.choose("paused", !page.chosen("paused")));
  pane.addEventListener("scroll", () => {
    scrolled = pane.scrollTop;
    place();
  });

  function makeRow(): Row {
    const el = document.createElement("div");
    el.innerHTML =
      '<span class="cum"></span><span class="orders"></span><span class="qty bid"><i></i><b></b></span>' +
      '<span class="price"></span><span class="qty ask"><i></i><b></b></span>' +
      '<span class="orders ask"></span><span class="cum ask"></span>';
    sheet.append(el);
    const cells = [...el.children] as HTMLElement[];
    return { el, cells, bars: [...el.querySelectorAll<HTMLElement>("i")], kind: "", top: NaN, parts: [NaN, NaN], shown: true };
  }

  function place(): void {
    if (!sides) return;
    const { bid, ask } = sides;
    const most = Math.max(maxOf(bid), maxOf(ask), 1);
    const from = scrolled - ROW;
    const to = scrolled + room + ROW;
    let used = 0;
    const put = (name: "bid" | "ask", level: number, top: number) => {
      if (top < from || top > to) return;
      const row = (rows[used] ??= makeRow());
      used++;
      const one = sides![name];
      const kind = `row ${name}${level === 0 ? " best" : ""}`;
      if (row.kind !== kind) row.el.className = row.kind = kind;
      if (row.top !== top) row.el.style.transform = `translateY(${(row.top = top)}px)`;
      if (!row.shown) row.el.style.display = "";
      row.shown = true;
      const mine = name === "bid";
      const size = one.qty[level];
      const orders = one.orders[level];
      say(row.cells[0], mine ? qty(one.cum[level]) : "");
      say(row.cells[1], mine && !Number.isNaN(orders) ? qty(orders) : "");
      say(row.cells[2].lastElementChild!, mine ? qty(size) : "");
      say(row.cells[3], price(one.price[level], decimals));
      say(row.cells[4].lastElementChild!, mine ? "" : qty(size));
      say(row.cells[5], mine || Number.isNaN(orders) ? "" : qty(orders));
      say(row.cells[6], mine ? "" : qty(one.cum[level]));
      row.bars.forEach((bar, i) => {
        const part = mine === (i === 0) ? Math.round((200 * size) / most) / 200 : 0;
        if (row.parts[i] !== part) bar.style.transform = `scaleX(${(row.parts[i] = part)})`;
      });
    };
    for (let level = ask.cum.length - 1, top = 0; level >= 0; level--, top += ROW) put("ask", level, top);
    for (let level = 0, top = ask.cum.length * ROW + TOUCH; level < bid.cum.length; level++, top += ROW) put("bid", level, top);
    for (let i = used; i < rows.length; i++) {
      if (rows[i].shown) rows[i].el.style.display = "none";
      rows[i].shown = false;
    }
  }

  return {
    base({ header }) {
      decimals = header.decimals;
      fill(symbols, header.symbols.map((name: string) => [name, name]), header.options.symbol);
      const wanted = [...new Set([...LEVELS, header.options.levels as number])].sort((a, b) => a - b);
      fill(levels, wanted.map((n) => [String(n), `${n} levels`]), String(header.options.levels));
      shownLtp = null;
    },
    frame(message) {
      newest = message;
      const { header } = message;
      sides = { bid: side(message, "bid"), ask: side(message, "ask") };
      const { bid, ask } = sides;
      const shown = ask.cum.length + bid.cum.length;
      room = Math.min(shown, MOST_SHOWN) * ROW + TOUCH;
      const sized = `${ask.cum.length} ${bid.cum.length} ${header.ltp == null}`;
      if (sized !== sizedFor) {
        sizedFor = sized;
        empty.hidden = shown > 0;
        totals[0].parentElement!.hidden = pane.hidden = shown === 0 && header.ltp == null;
        pane.style.height = `${room}px`;
        sheet.style.height = `${shown * ROW + TOUCH}px`;
        touch.style.transform = `translateY(${ask.cum.length * ROW}px)`;
      }
      symbols.value = page.chosen("symbol");
      const paused = !!page.chosen("paused");
      pause.setAttribute("aria-pressed", String(paused));
      say(pause, paused ? "Paused" : "Pause");
      // Centred on the touch, once for each book: afterwards the reader scrolls.
      const which = `${header.options.symbol} ${header.options.levels} ${shown > 0}`;
      if (which !== centred) {
        centred = which;
        pane.scrollTop = ask.cum.length * ROW + TOUCH / 2 - room / 2;
        scrolled = pane.scrollTop;
      }
      place();
      const best = bid.cum.length && ask.cum.length ? [bid.price[0], ask.price[0]] : null;
      say(spread, best ? `spread ${price(best[1] - best[0], decimals)}` : "");
      say(mid, best ? `mid ${price((best[0] + best[1]) / 2, decimals + 1)}` : "");
      say(last, price(header.ltp, decimals));
      last.title = header.change == null ? "" : `${change(header.change, decimals)} from the tick before`;
      if (header.ltp != null && shownLtp != null && header.ltp !== shownLtp && header.seq !== shownSeq) {
        const way = direction(header.ltp - shownLtp);
        last.className = `ltp-last ${way}`;
        flashes.light(last, way);
      }
      flashes.fade();
      shownLtp = header.ltp ?? shownLtp;
      shownSeq = header.seq ?? null;
      const all = bid.total + ask.total;
      const part = all ? `${((100 * bid.total) / all).toFixed(1)}%` : "50%";
      if (totals[0].style.width !== part) totals[0].style.width = part;
      say(totals[0], `${qty(bid.total)} bid`);
      say(totals[1], `${qty(ask.total)} ask`);
    },
    restyle: () => newest && place(),
    destroy: () => flashes.end(),
  };
}

function maxOf(one: Side): number {
  let most = 0;
  for (let i = 0; i < one.cum.length; i++) most = Math.max(most, one.qty[i] || 0);
  return most;
}

function fill(select: HTMLSelectElement, options: [string, string][], chosen: string): void {
  const key = options.map(([value]) => value).join();
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  }
  select.value = chosen;
}

export default mount("ladder", style, draw);
